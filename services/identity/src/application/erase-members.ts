/** Goes on with erasures that are due. A process that dies leaves what it had taken up to be taken up again. */
import type { Logger } from '@settler/chassis/logger';
import { type Poller, startPoller } from '@settler/chassis/poller';
import type { DueErasure, Erasures } from './personal-data.ts';

export interface EraseMembersNeeds {
  readonly erasures: Pick<Erasures, 'claim' | 'eraseHere' | 'askAgain'>;
  readonly logger: Logger;
}

const pollMs = 2_000;
const batch = 10;

export const startErasures = ({ erasures, logger }: EraseMembersNeeds): Poller => {
  const advance = async (erasure: DueErasure): Promise<void> => {
    try {
      await erasures.eraseHere(erasure);
      // They were asked in the transaction of the request.
      if (erasure.attempts > 1) await erasures.askAgain(erasure);
    } catch (error) {
      logger.warn({ err: error, erasureId: erasure.id, attempts: erasure.attempts }, 'an erasure is gone on with later');
    }
  };

  const round = async (): Promise<boolean> => {
    try {
      for (const erasure of await erasures.claim(batch)) await advance(erasure);
    } catch (error) {
      logger.warn({ err: error }, 'due erasures could not be taken up; it is tried again');
    }
    return false;
  };

  return startPoller(pollMs, round);
};
