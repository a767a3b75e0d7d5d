/** Looks for what is due, on every replica: rows are taken one by one, so none needs to lead. */
import type { Logger } from '@settler/chassis/logger';

export interface Schedules {
  /** Asks for the runs that are due now, and sets when each job is due next. Answers how many jobs were due; at most `batchMax`. */
  readonly fireDue: (batchMax: number) => Promise<number>;
}

interface Needs {
  readonly schedules: Schedules;
  readonly tickMs: number;
  readonly logger: Logger;
}

const batchMax = 100;

export const startScheduler = ({ schedules, tickMs, logger }: Needs) => {
  let isStopping = false;
  let ticking: Promise<void> | undefined;

  const tick = async (): Promise<void> => {
    while (!isStopping && (await schedules.fireDue(batchMax)) === batchMax);
  };
  const timer = setInterval(() => {
    ticking ??= tick()
      .catch((error: unknown) => logger.warn({ err: error }, 'schedules are looked through again with the next tick'))
      .finally(() => {
        ticking = undefined;
      });
  }, tickMs);

  return {
    stop: async () => {
      isStopping = true;
      clearInterval(timer);
      await ticking;
    },
  };
};
