/** Goes on with erasures that are due. A process that dies leaves what it had taken up to be taken up again. */
import type { Logger } from '@settler/chassis/logger';
import type { DueErasure, Erasures } from './personal-data.ts';

export interface EraseMembersNeeds {
  readonly erasures: Pick<Erasures, 'claim' | 'eraseHere' | 'askAgain'>;
  readonly logger: Logger;
}

const pollMs = 2_000;
const batch = 10;

/** `rouse` makes it look at once. */
export const startErasures = ({ erasures, logger }: EraseMembersNeeds) => {
  let isStopping = false;
  let isRoused = false;
  let wake = () => {};

  const advance = async (erasure: DueErasure): Promise<void> => {
    try {
      await erasures.eraseHere(erasure);
      // They were asked in the transaction of the request.
      if (erasure.attempts > 1) await erasures.askAgain(erasure);
    } catch (error) {
      logger.warn({ err: error, erasureId: erasure.id, attempts: erasure.attempts }, 'an erasure is gone on with later');
    }
  };

  const round = async (): Promise<void> => {
    try {
      for (const erasure of await erasures.claim(batch)) await advance(erasure);
    } catch (error) {
      logger.warn({ err: error }, 'due erasures could not be taken up; it is tried again');
    }
  };

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      isRoused = false;
      await round();
      if (isStopping || isRoused) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const rouse = () => {
    isRoused = true;
    wake();
  };
  const ended = loop();
  return {
    rouse,
    stop: async () => {
      isStopping = true;
      rouse();
      await ended;
    },
  };
};
