/** The check and every test, the same command on every machine. The last line is `N passed, N failed`, whatever happens. */
import { runCheck } from './check/run.ts';
import { runTests } from './testing/run.ts';

const close = ({ passed, failed }: { readonly passed: number; readonly failed: number }): void => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
};

close((await runCheck()) ? await runTests(process.argv.slice(2)) : { passed: 0, failed: 1 });
