/**
 * Work that may take so long and no longer. `AbortSignal.timeout` is not for what is done again and again: it cannot be taken back, so it
 * goes off when all is long over, with an error that nobody is there for and whose stack is recorded all the same.
 */

/** `ending` aborts the work: by itself after `ms`, with a `TimeoutError`, or earlier for a reason of the work's own. */
export const withDeadline = async <Result>(ms: number, work: (ending: AbortController) => Promise<Result>): Promise<Result> => {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new DOMException(`not over within ${ms} ms`, 'TimeoutError')), ms).unref();
  try {
    return await work(ending);
  } finally {
    clearTimeout(timer);
  }
};
