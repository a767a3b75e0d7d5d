/** Asks in threads of their own: to run the rules again takes as long as it takes, and nobody else waits for it. */
import { Worker } from 'node:worker_threads';
import { Refusal } from '@settler/chassis/refusal';
import { becauseOf } from '@settler/contracts/internal/away';
import type { Question, Reply } from '../../application/explain.ts';

const isSource = import.meta.url.endsWith('.ts');
const program = new URL(isSource ? './program.ts' : './program.js', import.meta.url);

/** For the prices of changes; a change that is not priced in time is told of without one. */
const budgetMs = 5_000;
/** With the time that a thread takes to load. What has been said until then is the answer. */
const answerMsMaxDefault = 10_000;
const memoryMb = 512;
const threadsMax = 2;
/** Twice as many may wait: whoever comes last has an answer within the time that the route has. */
const questionsMax = threadsMax * 2;

export interface Explainer {
  /** @throws Refusal `upstream_unavailable` where too many ask at once */
  readonly ask: (question: Question) => Promise<Reply>;
  readonly close: () => Promise<void>;
}

export const createExplainer = (answerMsMax = answerMsMaxDefault): Explainer => {
  const threads = new Set<Worker>();
  const waiting: (() => void)[] = [];
  let busy = 0;
  let isClosed = false;

  const take = async (): Promise<void> => {
    if (busy < threadsMax) {
      busy += 1;
      return;
    }
    if (isClosed || waiting.length >= questionsMax)
      throw new Refusal('upstream_unavailable', 'Too many explanations are asked for at once; try again shortly.', {
        retryAfterSeconds: 5,
        headers: becauseOf('explaining'),
      });
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const giveBack = (): void => {
    const next = waiting.shift();
    if (next === undefined) busy -= 1;
    else next();
  };

  return {
    ask: async (question) => {
      await take();
      const worker = new Worker(program, {
        resourceLimits: { maxOldGenerationSizeMb: memoryMb },
        workerData: { question, budgetMs },
        ...(isSource ? { execArgv: ['--conditions=@settler/source'] } : {}),
      });
      threads.add(worker);
      try {
        return await lastReplyOf(worker, answerMsMax);
      } finally {
        await worker.terminate();
        threads.delete(worker);
        giveBack();
      }
    },
    close: async () => {
      isClosed = true;
      await Promise.all([...threads].map((worker) => worker.terminate()));
    },
  };
};

/** The last one that it says before it ends, or before its time is over. */
const lastReplyOf = (worker: Worker, answerMsMax: number): Promise<Reply> =>
  new Promise((resolve, reject) => {
    let last: Reply | undefined;
    const end = (): void => {
      clearTimeout(timer);
      resolve(last ?? { kind: 'none', reason: 'budget' });
    };
    const timer = setTimeout(end, answerMsMax);
    worker.on('message', (reply: Reply) => {
      last = reply;
    });
    worker.once('exit', end);
    worker.once('error', (error: Error & { code?: string }) => {
      // Records too large to be held twice: what was said before is still right.
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return end();
      clearTimeout(timer);
      reject(error);
    });
  });
