import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/** The key that one was rotated into: each has one successor, or several rotations at once would leave several living keys. */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table api_keys add column successor_id text');
};
