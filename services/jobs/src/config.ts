import { brokerSettings, databaseSettings, durationMs, serviceSettings } from '@settler/chassis/config';
import { z } from 'zod';

export const config = z.object({
  ...serviceSettings,
  ...databaseSettings,
  ...brokerSettings,
  SCHEDULE_TICK_MS: durationMs(1_000, 'How often schedules are looked through for what is due.'),
  SCHEDULE_GRACE_MS: durationMs(60_000, 'How late a scheduled run may begin before its time counts as missed.'),
});
export type Config = z.output<typeof config>;
