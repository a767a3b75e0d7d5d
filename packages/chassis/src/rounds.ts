/** Something that is done again and again, at its own pace: cleaning, dropping, looking for what was lost. */
import type { Logger } from './logger.ts';

/** What a round throws is told as `whenFailed`, and the next one comes all the same. */
export const startRounds = (everyMs: number, round: () => Promise<unknown>, logger: Logger, whenFailed: string) => {
  const timer = setInterval(() => {
    round().catch((error: unknown) => logger.warn({ err: error }, whenFailed));
  }, everyMs);
  return { stop: () => clearInterval(timer) };
};
