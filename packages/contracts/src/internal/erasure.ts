/** What identity asks of every other service when somebody's personal data are erased, and what each of them answers. */
import { z } from 'zod';
import { erasureId, userId } from '../ids.ts';
import { type StatefulService, statefulServices } from '../services.ts';

export const erasureRequestType = 'erasure.requested';

/** One erasure may be asked for again: it is acknowledged each time. */
export const erasureRequest = z.object({ erasureId, userId });
export type ErasureRequest = z.infer<typeof erasureRequest>;

export const erasureRequestExample: ErasureRequest = {
  erasureId: 'era_01jqv8m0c4e7r9t2w5y8a1b3d6',
  userId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6',
};

export const erasureAcknowledgementType = 'erasure.acknowledged';

/** Said in the transaction in which the service has erased what it had. */
export const erasureAcknowledgement = z.object({ erasureId, service: z.enum(statefulServices) });
export type ErasureAcknowledgement = z.infer<typeof erasureAcknowledgement>;

export const erasureAcknowledgementExample: ErasureAcknowledgement = { erasureId: erasureRequestExample.erasureId, service: 'jobs' };

/** Those that are asked. Identity itself erases by itself. */
export const askedToErase = statefulServices.filter((service): service is Exclude<StatefulService, 'identity'> => service !== 'identity');
