import { brokerSettings, databaseSettings, serviceSettings } from '@settler/chassis/config';
import { z } from 'zod';

export const config = z.object({ ...serviceSettings, ...databaseSettings, ...brokerSettings });
export type Config = z.output<typeof config>;
