/** Shapes that several routes have in common. */
import { organizationId } from '@settler/contracts/ids';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Organization } from '../application/ports.ts';
import { passwordBytesMax } from '../domain/password.ts';

/**
 * A line that people write: no control characters, which no database column, log or mail subject wants, no second line, and
 * something that can be seen.
 */
export const text = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(lengthMax)
    .regex(/^[^\p{Control}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')
    .regex(/[^\p{Z}\p{Cf}\p{Default_Ignorable_Code_Point}]/u, 'must have a character that can be seen');

export const email = z
  .string()
  .max(320)
  .trim()
  .toLowerCase()
  .pipe(z.email('must be an e-mail address').max(254))
  .describe('An e-mail address; capitals make no difference.');

/** As somebody writes one; whether a new one is good enough, the domain says. */
export const password = z
  .string()
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= passwordBytesMax, `must be at most ${passwordBytesMax} bytes`)
  .describe('At least 15 characters, or 8 beside a second factor, and at most 1,024 bytes. Several words do well.');
/** A code of an authenticator, or a recovery code: anything else is simply a wrong one. */
export const totp = z.string().max(64).describe('A code of the authenticator.');

export const organizationAnswer = z
  .object({
    id: organizationId,
    name: z.string().describe('For people.'),
    slug: z.string().describe('Made of the name that it was registered with; it stays when the name changes.'),
    baseCurrency: z.string().describe('ISO 4217: the currency in which reports tell their totals besides.'),
    createdAt: instant,
  })
  .meta({ id: 'Organization' });

export const organizationView = ({ id, name, slug, baseCurrency, createdAt }: Organization) => ({
  id,
  name,
  slug,
  baseCurrency,
  createdAt: createdAt.toISOString(),
});
