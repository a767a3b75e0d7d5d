/** How a service that keeps ids of users, and nothing else of them, answers when somebody's personal data are erased. */
import type { Envelope } from '@settler/contracts/envelope';
import { erasureAcknowledgement, erasureAcknowledgementType, erasureRequest } from '@settler/contracts/internal/erasure';
import type { StatefulService } from '@settler/contracts/services';
import { erasureAcknowledgementSubject } from '@settler/contracts/subjects';
import type { Transaction } from 'kysely';
import type { Outbox } from './outbox.ts';
import type { ChassisTables } from './tables.ts';

/** There is nothing to erase: the acknowledgement says that the service was asked, and has looked. */
export const acknowledgeErasure =
  (service: StatefulService, outbox: Outbox) =>
  async <DB extends ChassisTables>(trx: Transaction<DB>, { organizationid: organizationId, data }: Envelope): Promise<void> => {
    const { erasureId } = erasureRequest.parse(data);
    await outbox.append(trx, [
      {
        subject: erasureAcknowledgementSubject(service),
        type: erasureAcknowledgementType,
        organizationId,
        aggregateId: erasureId,
        aggregateVersion: 1,
        data: erasureAcknowledgement.parse({ erasureId, service }),
      },
    ]);
  };
