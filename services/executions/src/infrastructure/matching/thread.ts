/** Matching in a thread of its own: the event loop stays free, its memory is bounded, and stopping it is immediate. */
import { Worker } from 'node:worker_threads';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { type MatchedResult, MatchingRefused, type OpenMatching } from '../../application/ports.ts';
import type { Reply, Request } from './protocol.ts';

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? './program.ts' : './program.js', import.meta.url);

export const createOpenMatching =
  (memoryMb: number): OpenMatching =>
  ({ rules, idMapped, asOf, signal }) => {
    const worker = new Worker(program, {
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      ...(isSource ? { execArgv: ['--conditions=@settler/source'] } : {}),
    });
    let waiting: { resolve: (reply: Reply) => void; reject: (error: unknown) => void } | undefined;
    let onProgress: (done: number, total: number) => void = () => {};
    let failure: unknown;

    const fail = (error: unknown) => {
      failure ??= error;
      waiting?.reject(failure);
      waiting = undefined;
    };
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'progress') return onProgress(reply.done, reply.total);
      if (reply.kind === 'refused') return fail(new MatchingRefused(reply.code, reply.message));
      waiting?.resolve(reply);
      waiting = undefined;
    });
    worker.on('error', (error: Error & { code?: string }) =>
      fail(
        error.code === 'ERR_WORKER_OUT_OF_MEMORY'
          ? new MatchingRefused(
              'out_of_memory',
              `Matching these inputs needs more than ${memoryMb} MB; raise WORKER_MEMORY_MB or split the run by period.`,
            )
          : error,
      ),
    );
    worker.on('exit', (code) => fail(new Error(`the matching thread ended with code ${code}`)));
    const onAbort = () => fail(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });

    /** One question at a time, each answered by one reply. */
    const ask = (request: Request): Promise<Reply> =>
      new Promise((resolve, reject) => {
        if (failure !== undefined) return reject(failure);
        waiting = { resolve, reject };
        worker.postMessage(request);
      });

    return {
      add: async (side, rows) => {
        await ask({ kind: 'add', side, rows, idMapped: idMapped[side] });
      },
      match: async (report) => {
        onProgress = report;
        const reply = await ask({ kind: 'match', rules, asOf, idMapped });
        if (reply.kind !== 'matched') throw new Error(`the matching thread answered ${reply.kind}`);
        return { summary: reply.summary satisfies ExecutionSummary, resultCount: reply.resultCount };
      },
      results: async function* (): AsyncIterable<readonly MatchedResult[]> {
        for (;;) {
          const reply = await ask({ kind: 'next' });
          if (reply.kind !== 'results') throw new Error(`the matching thread answered ${reply.kind}`);
          if (reply.results.length === 0) return;
          yield reply.results;
        }
      },
      close: async () => {
        signal.removeEventListener('abort', onAbort);
        worker.removeAllListeners('exit');
        await worker.terminate();
      },
    };
  };
