import { type Cursors, toPage } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { type Selectable, sql } from 'kysely';
import type { AuditEvent, AuditQueries } from '../../../application/queries.ts';
import {
  type ChainEntry,
  type Check,
  type Checkpoint,
  checkEntry,
  checkpointSeal,
  concludeCheck,
  emptyHead,
  type Hmac,
} from '../../../domain/audit-chain.ts';
import type { Trx } from '../sight.ts';
import type { Database } from '../tables.ts';

type Row = Selectable<Database['audit_entries']>;

/** What verification hashes at once: revocations are asked for several times a second, and must not be kept waiting. */
const batchRows = 500;

export const createAuditQueries = (postgres: Postgres<Database>, cursors: Cursors, hmac: Hmac): AuditQueries => ({
  list: (organizationId, { limit, cursor, actor, action, resource, since, until }) =>
    postgres.reading(organizationId, async (trx) => {
      const list = JSON.stringify(['audit', organizationId, actor, action, resource, since, until]);
      const [position] = cursors.read(list, cursor) ?? [];
      const rows = await trx
        .selectFrom('audit_entries')
        .selectAll()
        .$if(position !== undefined, (query) => query.where('position', '<', BigInt(position ?? 0)))
        .$if(actor !== undefined, (query) => query.where('actor_id', '=', actor ?? ''))
        .$if(action !== undefined, (query) => query.where('action', '=', action ?? ''))
        .$if(resource !== undefined, (query) =>
          query.where(({ eb, or }) => or([eb('resource_id', '=', resource ?? ''), eb('resource_type', '=', resource ?? '')])),
        )
        .$if(since !== undefined, (query) => query.where(sql<boolean>`at >= ${since}::timestamptz`))
        .$if(until !== undefined, (query) => query.where(sql<boolean>`at < ${until}::timestamptz`))
        .orderBy('position', 'desc')
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, eventOf, (row) => cursors.write(list, [Number(row.position)]));
    }),

  verify: (organizationId, from, at) =>
    postgres.organization(organizationId, async (trx) => {
      // Before the head: one that is made in between would seem to lie behind it.
      const { sound, bad } = await readCheckpoints(trx, organizationId, hmac);
      const [newest] = sound;
      const head = await readHead(trx, organizationId);
      const start = from === 'checkpoint' ? newest : undefined;
      const strayed = start === undefined ? undefined : await readStrayed(trx, organizationId, sound);
      let check: Check = { entries: start?.entries ?? 0, hash: start?.hash ?? emptyHead.hash };
      const verified = new Map(sound.map(({ entries, hash }) => [entries, hash]));
      for await (const entry of entriesBetween(trx, organizationId, check.entries, head?.entries ?? 0))
        check = checkEntry(check, entry, hmac, verified.get(entry.position));
      const verdict = {
        ...concludeCheck(organizationId, check, head, hmac),
        ...(start === undefined ? {} : { checkpoint: { entries: start.entries, verifiedAt: start.verifiedAt } }),
        ...(bad === 0 ? {} : { badCheckpoints: bad }),
      };
      if (strayed !== undefined) return { ...verdict, valid: false, ...(strayed.id === null ? {} : { firstBadId: strayed.id }) };
      if (head?.isWithoutBeginning) return { ...verdict, valid: false };
      if (verdict.valid && head?.beyond) return { ...verdict, valid: false, firstBadId: head.beyond };
      // A head and entries of an earlier day, put back together, fit each other. They do not fit what was verified since: there are too few,
      // or once others have come, not those.
      const isCutBack = newest !== undefined && newest.entries > check.entries;
      if (!verdict.valid || isCutBack || bad > 0) return { ...verdict, valid: false };
      await keepCheckpoint(trx, organizationId, { entries: check.entries, hash: check.hash, verifiedAt: at.toISOString() }, hmac);
      return verdict;
    }),
});

/** One for each verification that found new entries; older ones than these are of no use. */
const checkpointsMax = 100;

const readCheckpoints = async (trx: Trx, organizationId: string, hmac: Hmac) => {
  const rows = await trx
    .selectFrom('audit_checkpoints')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('entries', 'desc')
    .limit(checkpointsMax)
    .execute();
  const kept = rows.map((row) => ({
    entries: Number(row.entries),
    hash: row.hash,
    verifiedAt: row.verified_at.toISOString(),
    seal: row.seal,
  }));
  const sound = kept.filter((checkpoint) => checkpointSeal(organizationId, checkpoint, hmac) === checkpoint.seal);
  return { sound, bad: kept.length - sound.length };
};

/**
 * The first checkpoint whose entry is not there any more as it was verified, for a check that does not read so far back; `id` is of what
 * stands there, or follows.
 */
const readStrayed = async (trx: Trx, organizationId: string, checkpoints: readonly Checkpoint[]) => {
  // One from before the first entry has none.
  const kept = checkpoints.filter(({ entries }) => entries > 0);
  const positions = kept.map(({ entries }) => entries);
  const hashes = kept.map(({ hash }) => hash);
  const { rows } = await sql<{ id: string | null }>`
    select (select id from audit_entries where organization_id = ${organizationId} and position >= kept.position
             order by position limit 1) as id
      from unnest(${positions}::bigint[], ${hashes}::text[]) as kept (position, hash)
     where not exists (select 1 from audit_entries as entry
                        where entry.organization_id = ${organizationId} and entry.position = kept.position and entry.hash = kept.hash)
     order by kept.position limit 1`.execute(trx);
  return rows[0];
};

const keepCheckpoint = async (trx: Trx, organizationId: string, checkpoint: Checkpoint, hmac: Hmac): Promise<void> => {
  const { entries, hash, verifiedAt } = checkpoint;
  await trx
    .insertInto('audit_checkpoints')
    .values({
      organization_id: organizationId,
      entries,
      hash,
      verified_at: new Date(verifiedAt),
      seal: checkpointSeal(organizationId, checkpoint, hmac),
    })
    .onConflict((conflict) => conflict.columns(['organization_id', 'entries']).doNothing())
    .execute();
};

/**
 * What each trail has since its organization was registered. A head that says nothing was ever there had the seal of ours once, at that
 * moment, and whoever has kept it could put it back; what comes then is no beginning.
 */
const beginning = 'organization.created';
/** How long the first entry may be on its way. */
const beginningHoursMax = 24;

/**
 * The head, and what stands behind it. In one statement: an entry and its head are committed together, so that at no moment
 * anything stands there that was appended as it should be. Entries that come later are the next verification's.
 */
const readHead = async (trx: Trx, organizationId: string) => {
  const row = await trx
    .selectFrom('audit_heads as head')
    .selectAll('head')
    .select(({ selectFrom }) =>
      selectFrom('audit_entries')
        .select('id')
        .whereRef('audit_entries.organization_id', '=', 'head.organization_id')
        .where(({ or, eb, ref }) => or([eb('position', '>', ref('head.entries')), eb('position', '<', 1n)]))
        .orderBy('position')
        .limit(1)
        .as('beyond'),
    )
    .select(({ selectFrom, exists, not, and, or, eb }) =>
      and([
        not(
          exists(
            selectFrom('audit_entries')
              .select('id')
              .whereRef('audit_entries.organization_id', '=', 'head.organization_id')
              .where('action', '=', beginning),
          ),
        ),
        or([
          eb('head.entries', '>', 0n),
          exists(
            selectFrom('organizations')
              .select('organizations.organization_id')
              .whereRef('organizations.organization_id', '=', 'head.organization_id')
              .where(sql<boolean>`created_at < now() - make_interval(hours => ${beginningHoursMax})`),
          ),
        ]),
      ]).as('isWithoutBeginning'),
    )
    .where('organization_id', '=', organizationId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const { hash, seal, beyond, isWithoutBeginning } = row;
  return { entries: Number(row.entries), hash, seal, beyond, isWithoutBeginning };
};

async function* entriesBetween(
  trx: Trx,
  organizationId: string,
  after: number,
  last: number,
): AsyncGenerator<ChainEntry & { hash: string }> {
  let position = BigInt(after);
  for (;;) {
    const rows = await trx
      .selectFrom('audit_entries')
      .selectAll()
      .where('organization_id', '=', organizationId)
      .where('position', '>', position)
      .where('position', '<=', BigInt(last))
      .orderBy('position')
      .limit(batchRows)
      .execute();
    for (const row of rows) yield linkOf(row);
    await turnOfOthers();
    if (rows.length < batchRows) return;
    position = rows.at(-1)?.position ?? position;
  }
}

const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const linkOf = (row: Row): ChainEntry & { hash: string } => ({
  organizationId: row.organization_id,
  position: Number(row.position),
  id: row.id,
  at: row.at.toISOString(),
  actorType: row.actor_type,
  actorId: row.actor_id,
  keyId: row.key_id,
  action: row.action,
  resourceType: row.resource_type,
  resourceId: row.resource_id,
  before: row.before_state,
  after: row.after_state,
  hash: row.hash,
});

const eventOf = (row: Row): AuditEvent => ({
  id: row.id,
  at: row.at.toISOString(),
  actor: { type: row.actor_type, id: row.actor_id },
  ...(row.key_id === null ? {} : { keyId: row.key_id }),
  address: row.address,
  action: row.action,
  resource: { type: row.resource_type, id: row.resource_id },
  ...(row.before_state === null ? {} : { before: JSON.parse(row.before_state) as unknown }),
  ...(row.after_state === null ? {} : { after: JSON.parse(row.after_state) as unknown }),
  hash: row.hash,
});
