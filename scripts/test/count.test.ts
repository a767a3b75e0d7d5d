import { describe, expect, it } from 'vitest';
import { countTests } from '../testing/count.ts';

const report = (changes: object = {}) => ({
  success: true,
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
  ...changes,
});

describe('the closing line', () => {
  it('counts what passed and what failed', () => {
    expect(countTests(report(), true)).toEqual({ passed: 3, failed: 0 });
    const testResults = [{ status: 'failed', assertionResults: [{ status: 'failed' }, { status: 'passed' }] }];
    expect(countTests(report({ success: false, numFailedTests: 2, testResults }), false)).toEqual({ passed: 3, failed: 2 });
  });

  it('counts a file that cannot be loaded as a failure', () => {
    const testResults = [{ status: 'failed', assertionResults: [] }];
    expect(countTests(report({ success: false, testResults }), false)).toEqual({ passed: 3, failed: 1 });
  });

  it('counts a test that was not run as a failure', () => {
    expect(countTests(report({ numPendingTests: 1, numTodoTests: 1 }), true)).toEqual({ passed: 3, failed: 2 });
  });

  it('fails without any test, without a report, and when vitest itself failed', () => {
    expect(countTests(report({ numPassedTests: 0, testResults: [] }), true)).toEqual({ passed: 0, failed: 1 });
    expect(countTests(undefined, true)).toEqual({ passed: 0, failed: 1 });
    expect(countTests({ success: true }, true)).toEqual({ passed: 0, failed: 1 });
    expect(countTests(report(), false)).toEqual({ passed: 3, failed: 1 });
  });
});
