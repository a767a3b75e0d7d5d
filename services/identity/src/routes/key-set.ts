import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';

const keySet = z
  .object({
    keys: z
      .array(z.record(z.string(), z.unknown()))
      .describe('Keys of RFC 7517: the one that signs, the next one, and those whose tokens still count.'),
  })
  .meta({ id: 'JsonWebKeySet' });

export const keySetRoutes = (endpoint: Endpoints['endpoint'], published: () => Promise<readonly Record<string, unknown>[]>): void => {
  endpoint('readKeySet', {
    description: 'A JSON Web Key Set, RS256. The next key is in it long before it signs; keep it for five minutes.',
    answers: { 200: keySet },
    handle: async () => ({ status: 200, headers: { 'cache-control': 'public, max-age=300' }, body: { keys: await published() } }),
  });
};
