/**
 * The same values. The next one is asked for before one is given, so that the database looks for it while somebody is busy with that one.
 * Whoever stops in between waits until it is done with that, and is not told how it went.
 */
export const oneAhead = async function* <Value>(values: AsyncGenerator<Value, void, undefined>): AsyncGenerator<Value, void, undefined> {
  const ask = () => {
    const asked = values.next();
    asked.catch(() => {});
    return asked;
  };
  let next = ask();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = ask();
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await values.return();
  }
};
