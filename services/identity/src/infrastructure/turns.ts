/** What keeps others waiting, as hashing does that fills Node's few threads, is done few at a time, and the queue is finite. */
import { Refusal } from '@settler/chassis/refusal';
import { becauseOf } from '@settler/contracts/internal/away';
import type { Turn } from '../application/ports.ts';

/**
 * @param what there is too much of, in the plural
 * @throws Refusal `upstream_unavailable` when as many as `waitingMax` wait already: a longer queue would only answer too late.
 */
export const createTurns = (runningMax: number, waitingMax: number, what = 'logins'): Turn => {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = async (): Promise<void> => {
    if (running < runningMax) {
      running += 1;
      return;
    }
    if (waiting.length >= waitingMax)
      throw new Refusal('upstream_unavailable', `Too many ${what} at once; try again shortly.`, {
        retryAfterSeconds: 1,
        headers: becauseOf(what),
      });
    // The one that leaves hands its place on, so `running` stays as it is.
    await new Promise<void>((resolve) => waiting.push(resolve));
  };
  const leave = () => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
};
