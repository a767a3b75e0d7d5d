/** How many tests passed and failed, from vitest's report. Whatever went wrong besides tests counts as one that failed. */
import { z } from 'zod';

const report = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(z.object({ status: z.string(), assertionResults: z.array(z.object({ status: z.string() })) })),
});

export interface Count {
  readonly passed: number;
  readonly failed: number;
}

/** @param exitedWell whether vitest itself said that all is well: an error outside any test is known to it alone. */
export const countTests = (json: unknown, exitedWell: boolean): Count => {
  const parsed = report.safeParse(json);
  if (!parsed.success) return { passed: 0, failed: 1 };
  const { numPassedTests: passed, numFailedTests, numPendingTests, numTodoTests, success, testResults } = parsed.data;
  // A file that cannot be loaded has no tests that could fail.
  const brokenFiles = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  );
  // A test that was not run has shown nothing.
  const failed = numFailedTests + brokenFiles.length + numPendingTests + numTodoTests;
  const isWell = success && exitedWell && passed > 0;
  return { passed, failed: failed === 0 && !isWell ? 1 : failed };
};
