import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';

const keySet = z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).meta({ id: 'JsonWebKeySet' });

export const keySetRoutes = (endpoint: Endpoints['endpoint'], published: () => readonly Record<string, unknown>[]): void => {
  endpoint('readKeySet', {
    answers: { 200: keySet },
    handle: async () => ({ status: 200, headers: { 'cache-control': 'public, max-age=300' }, body: { keys: published() } }),
  });
};
