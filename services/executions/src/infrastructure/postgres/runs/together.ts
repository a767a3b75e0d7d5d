/**
 * Calls that come while another transaction is on its way share the next one: its beginning, its statements and its commit, which waits for
 * the disk, are then paid once for all of them. A call that comes alone waits for nobody.
 */
interface Call<Input, Output> {
  readonly input: Input;
  readonly resolve: (output: Output) => void;
  readonly reject: (error: unknown) => void;
}

/** `work` answers every input, in their order. Where it fails for several, each is tried alone: what is wrong with one is not the others'. */
export const together = <Input, Output>(atOnceMax: number, work: (inputs: readonly Input[]) => Promise<readonly Output[]>) => {
  const waiting: Call<Input, Output>[] = [];
  let isWorking = false;

  const settle = async (calls: readonly Call<Input, Output>[]): Promise<void> => {
    try {
      const outputs = await work(calls.map(({ input }) => input));
      for (const [index, { resolve }] of calls.entries()) resolve(outputs[index] as Output);
    } catch (error) {
      if (calls.length === 1) calls[0]?.reject(error);
      else await Promise.all(calls.map((call) => settle([call])));
    }
  };
  const settleAll = async (): Promise<void> => {
    while (waiting.length > 0) await settle(waiting.splice(0, atOnceMax));
    isWorking = false;
  };

  return (input: Input): Promise<Output> =>
    new Promise((resolve, reject) => {
      waiting.push({ input, resolve, reject });
      if (isWorking) return;
      isWorking = true;
      // Once everything that has just arrived has called.
      setImmediate(() => void settleAll());
    });
};
