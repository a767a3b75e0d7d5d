import { statements } from '@settler/chassis/schema';
import type { Kysely } from 'kysely';

/**
 * A third of what it takes to store results was two indexes by which few of them are ever found: by outcome, and by their own id. The
 * digests tell of both where to look, and a page needs no more than the index that has the results in their order.
 */
export const up = async (db: Kysely<unknown>): Promise<void> => {
  await statements(
    db,
    `-- Null: not known, so that whoever looks for them looks there.
     alter table result_digests
       add column outcomes text[],
       add column id_least text collate "C",
       add column id_most text collate "C";
     drop index results_by_outcome;
     alter table results drop constraint results_pkey;`,
  );
};
