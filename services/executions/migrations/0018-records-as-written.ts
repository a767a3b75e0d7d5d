import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * What a result explains is written once, shown often and hardly ever looked into. As jsonb it was taken apart when it came, and put
 * together again for everybody who asked for it; as json it comes and goes as it is.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(db, 'alter table results alter source type json, alter target type json, alter conditions type json;');
};
