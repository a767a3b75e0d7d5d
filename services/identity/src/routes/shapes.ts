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

export const email = z.string().max(320).trim().toLowerCase().pipe(z.email('must be an e-mail address').max(254));

/** As somebody writes one; whether a new one is good enough, the domain says. */
export const password = z
  .string()
  .min(1, 'must not be empty')
  .refine((value) => Buffer.byteLength(value) <= passwordBytesMax, `must be at most ${passwordBytesMax} bytes`);
/** A code of an authenticator, or a recovery code: anything else is simply a wrong one. */
export const totp = z.string().max(64);

export const organizationAnswer = z
  .object({ id: organizationId, name: z.string(), slug: z.string(), baseCurrency: z.string(), createdAt: instant })
  .meta({ id: 'Organization' });

export const organizationView = ({ id, name, slug, baseCurrency, createdAt }: Organization) => ({
  id,
  name,
  slug,
  baseCurrency,
  createdAt: createdAt.toISOString(),
});
