/** Who did something, as answers name them. */
import { z } from 'zod';

export const actor = z
  .object({
    type: z.string().describe('`user`, `apiKey`, or `system` for what Settler did by itself.'),
    id: z.string().describe('Of the user or the API key; of the system, the part of it, such as `schedule`.'),
  })
  .meta({ id: 'Actor', description: 'Who did it.' });
