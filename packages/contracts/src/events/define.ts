/** How an event is declared: who says it, its data, and one example that publishers and consumers are both tested against. */
import type { z } from 'zod';
import type { StatefulService } from '../services.ts';

export interface EventDefinition<Data extends z.ZodType = z.ZodType> {
  /** `<entity>.<event in the past tense>` */
  readonly type: string;
  /** Raised by a breaking change, which is published beside the old major, never instead of it. */
  readonly major: number;
  readonly service: StatefulService;
  readonly description: string;
  readonly data: Data;
  readonly example: z.infer<Data>;
}

export const defineEvent = <Data extends z.ZodType>(definition: EventDefinition<Data>): EventDefinition<Data> => definition;
