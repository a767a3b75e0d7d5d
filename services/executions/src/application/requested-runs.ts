/** Sees to what schedules asked for. The row of a request decides; being told of a new one only saves waiting. */
import type { Logger } from '@settler/chassis/logger';
import type { RequestedRun, RunRequests } from './ports.ts';

interface Needs {
  readonly requests: RunRequests;
  readonly start: (requested: RequestedRun) => Promise<void>;
  readonly everyMs: number;
  readonly logger: Logger;
}

const batchMax = 20;

export const startRequestedRuns = ({ requests, start, everyMs, logger }: Needs) => {
  let isStopping = false;
  let wanted = false;
  let working: Promise<void> | undefined;

  const work = async (): Promise<void> => {
    while (wanted && !isStopping) {
      wanted = false;
      const claimed = await requests.claim(batchMax);
      if (claimed.length === batchMax) wanted = true;
      for (const requested of claimed) await start(requested);
    }
  };
  const wake = (): void => {
    wanted = true;
    working ??= work()
      .catch((error: unknown) => logger.warn({ err: error }, 'scheduled runs are looked for again in the next round'))
      .finally(() => {
        working = undefined;
      });
  };
  const timer = setInterval(() => {
    requests.clean().catch((error: unknown) => logger.warn({ err: error }, 'old requests are deleted in the next round'));
    wake();
  }, everyMs);

  return {
    wake,
    stop: async () => {
      isStopping = true;
      clearInterval(timer);
      await working;
    },
  };
};
