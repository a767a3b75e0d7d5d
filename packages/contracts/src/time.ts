/** Instants are UTC with milliseconds; dates are dates. */
import { z } from 'zod';

/** `2026-04-01T09:30:00.000Z` */
export const instant = z.iso
  .datetime({ precision: 3 })
  .meta({ id: 'Instant', description: 'A moment in UTC, with milliseconds: `2026-04-01T09:30:00.000Z`.' });

const noInstant = 'must be an instant such as 2026-04-01T09:30:00Z';
/** What becomes of a `+` that a query has as it is. */
const hasSpaceForPlus = (text: unknown): boolean => typeof text === 'string' && / [0-9]{2}:?[0-9]{2}$/.test(text);

/** An instant as a caller may write it: with or without milliseconds, with an offset; kept as UTC. */
export const instantInput = z.iso
  .datetime({
    offset: true,
    error: ({ input }) => (hasSpaceForPlus(input) ? `${noInstant}; in a query, the + of an offset is written %2B` : noInstant),
  })
  .transform((text) => new Date(text).toISOString())
  .refine((text) => text >= '1900' && text < '3000', 'must be an instant from the year 1900 to 2999')
  .describe('A moment, with or without milliseconds, in UTC or with an offset: `2026-04-01T09:30:00Z`.');

/** `2026-04-01`, a day that exists, from the year 1900 to 2999. */
export const day = z.iso
  .date({ error: 'must be a day such as 2026-04-01', abort: true })
  .refine((text) => text >= '1900-01-01' && text < '3000-01-01', 'must be a day between 1900-01-01 and 2999-12-31')
  .meta({ id: 'Day', description: 'A day of the calendar, from 1900-01-01 to 2999-12-31: `2026-04-01`.' });
