/** Shapes that several routes have in common. */
import { organizationId } from '@settler/contracts/ids';
import { instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { Organization } from '../application/ports.ts';

/** A line that people write: no control characters, which no database column, log or mail subject wants. */
export const text = (lengthMax: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(lengthMax)
    .regex(/^\P{Control}*$/u, 'must be one line without control characters');

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
