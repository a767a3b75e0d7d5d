/** Reading and matching in a thread of its own: the event loop stays free, its memory is bounded, and stopping it is immediate. */
import { Worker } from 'node:worker_threads';
import { ReaderFailure, type ReaderFailureCode } from '@settler/adapters/reader';
import { MatchingRefused, type OpenInput, type OpenMatching, type ResultRows } from '../../application/ports.ts';
import { sendFile } from './file-port.ts';
import { outOfMemory, type ThreadData } from './memory.ts';
import type { Notice, Reply, Request } from './protocol.ts';

/** What was compiled for one run serves the next; of a larger one, compiling is a small part. */
const reusedUpTo = 250_000;

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? './program.ts' : './program.js', import.meta.url);

export interface MatchingThreads {
  readonly open: OpenMatching;
  /** Has the next thread loaded before it is asked for. */
  readonly prepare: () => void;
  readonly close: () => Promise<void>;
}

export const createMatchingThreads = (memoryMb: number): MatchingThreads => {
  let spare: Worker | undefined;
  let isClosed = false;

  const start = (): Worker =>
    new Worker(program, {
      resourceLimits: { maxOldGenerationSizeMb: memoryMb },
      workerData: { memoryMb } satisfies ThreadData,
      ...(isSource ? { execArgv: ['--conditions=@settler/source'] } : {}),
    });
  // What goes wrong with it while it waits is seen by whoever needs one then.
  const keep = (worker: Worker): void => {
    const forget = () => {
      if (spare === worker) spare = undefined;
    };
    worker.once('error', forget).once('exit', forget);
    spare = worker;
  };
  // Loading the program takes longer than most runs do, so a thread waits for the next one.
  const prepare = (): void => {
    if (!isClosed && spare === undefined) keep(start());
  };
  /** A thread whose run was small and went well is the next one's. Any other is ended, with all that it holds. */
  const giveBack = async (worker: Worker, isReusable: boolean): Promise<void> => {
    if (isReusable && !isClosed && spare === undefined) {
      worker.postMessage({ kind: 'forget' } satisfies Request);
      keep(worker);
    } else await worker.terminate();
    prepare();
  };
  const take = (): Worker => {
    const worker = spare ?? start();
    worker.removeAllListeners('error').removeAllListeners('exit');
    spare = undefined;
    return worker;
  };
  return {
    open: (job) => openMatching(take(), memoryMb, job, giveBack),
    prepare,
    close: async () => {
      isClosed = true;
      await spare?.terminate();
    },
  };
};

const openMatching = (
  worker: Worker,
  memoryMb: number,
  { rules, asOf, signal }: Parameters<OpenMatching>[0],
  giveBack: (worker: Worker, isReusable: boolean) => Promise<void>,
): ReturnType<OpenMatching> => {
  let waiting: { resolve: (reply: Reply) => void; reject: (error: unknown) => void } | undefined;
  let onProgress: (done: number, total: number | null) => void = () => {};
  let openFile: OpenInput = async () => undefined;
  let failure: unknown;
  let results = Number.POSITIVE_INFINITY;

  const fail = (error: unknown) => {
    failure ??= error;
    waiting?.reject(failure);
    waiting = undefined;
  };
  worker.on('message', (message: Reply | Notice) => {
    switch (message.kind) {
      case 'progress':
        return onProgress(message.done, message.total);
      case 'file':
        return void sendFile(message.port, () => openFile(message.fileId));
      case 'unreadable':
        return fail(new ReaderFailure(message.code as ReaderFailureCode, message.message, message.line));
      case 'refused':
        return fail(new MatchingRefused(message.code, message.message, message.side));
      default:
        waiting?.resolve(message);
        waiting = undefined;
    }
  });
  worker.on('error', (error: Error & { code?: string }) => fail(error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? outOfMemory(memoryMb) : error));
  worker.on('exit', (code) => fail(new Error(`the matching thread ended with code ${code}`)));
  const onAbort = () => fail(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });

  /** One question at a time, each answered by one reply. */
  const ask = async <Kind extends Reply['kind']>(request: Request, kind: Kind): Promise<Extract<Reply, { kind: Kind }>> => {
    const reply = await new Promise<Reply>((resolve, reject) => {
      if (failure !== undefined) return reject(failure);
      waiting = { resolve, reject };
      worker.postMessage(request);
    });
    if (reply.kind !== kind) throw new Error(`the matching thread answered ${reply.kind}`);
    return reply as Extract<Reply, { kind: Kind }>;
  };

  return {
    give: async (matches) => void (await ask({ kind: 'give', matches }, 'given')),
    feed: async (results, run) => (await ask({ kind: 'feed', results, run }, 'fed')).controlTotals,
    remember: async (results) => void (await ask({ kind: 'remember', results }, 'remembered')),
    compare: async () => {
      const { diff, handMatches } = await ask({ kind: 'compare', rules, asOf }, 'compared');
      return { diff, handMatches };
    },
    separate: async (separations) => void (await ask({ kind: 'separate', separations }, 'separated')),
    know: async (matches) => void (await ask({ kind: 'know', matches }, 'known')),
    carry: async (items) => void (await ask({ kind: 'carry', items }, 'carried')),
    watch: async (recordIds) => void (await ask({ kind: 'watch', recordIds }, 'watched')),
    read: async (side, input, open, report) => {
      openFile = open;
      onProgress = report;
      return (await ask({ kind: 'read', side, input }, 'read')).controlTotals;
    },
    broken: async () => (await ask({ kind: 'broken' }, 'broken')).matches,
    bring: async (records) => void (await ask({ kind: 'bring', records }, 'brought')),
    match: async (report) => {
      onProgress = report;
      const { summary, resultCount, problems, given } = await ask({ kind: 'match', rules, asOf }, 'matched');
      results = resultCount;
      return { summary, resultCount, problems, given };
    },
    results: async function* (run) {
      // The piece that was given last is the caller's still, and so is the one before.
      let written: ResultRows | undefined;
      let before: ResultRows | undefined;
      let next = ask({ kind: 'next', run, written }, 'results');
      for (;;) {
        const { piece } = await next;
        if (piece.count === 0) return;
        // Made while those are written.
        next = ask({ kind: 'next', run, written }, 'results');
        written = before;
        before = piece;
        // Whoever stops in between does not ask how it went.
        next.catch(() => {});
        yield piece;
      }
    },
    sums: async () => (await ask({ kind: 'sums' }, 'sums')).sums,
    close: async () => {
      signal.removeEventListener('abort', onAbort);
      for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
      await giveBack(worker, failure === undefined && waiting === undefined && results <= reusedUpTo);
    },
  };
};
