/** What an operator may do to any service: publish again what it has published, and see to messages that could not be handled. */
import { sql } from 'kysely';
import { type Operation, type Options, UsageError } from './operation.ts';
import type { Postgres } from './postgres.ts';
import type { ChassisTables } from './tables.ts';

const batchRows = 5_000;
const limitOption = { means: 'how many, 50 unless told', value: 'N' };

const republish: Operation = {
  command: 'republish',
  does: 'Publishes again what was published since then, to fill a stream that has lost it. Consumers pass over what they have handled. 14 days are kept.',
  options: {
    since: { means: 'from this instant on', value: '2026-04-01T00:00:00Z' },
    subject: { means: 'only subjects that begin so, such as evt.jobs.job.', value: 'PREFIX' },
  },
  run: async ({ postgres, print }, options) => {
    const since = instantOf(options, 'since');
    const prefix = textOf(options, 'subject') ?? '';
    let published = 0;
    let after = -1n;
    for (;;) {
      // The rows stay where they are: the outbox gets copies, in the order of their first time.
      const { rows } = await sql<{ position: bigint }>`
        with again as (
          select position, event_id, organization_id, subject, aggregate_id, body from outbox_sent
           where sent_at >= ${since} and starts_with(subject, ${prefix}) and position > ${after} order by position limit ${batchRows}),
        copied as (
          insert into outbox (event_id, organization_id, subject, aggregate_id, body)
          select event_id, organization_id, subject, aggregate_id, body from again order by position on conflict (event_id) do nothing)
        select position from again order by position desc`.execute(postgres.systemDb);
      published += rows.length;
      if (rows[0] === undefined) break;
      after = rows[0].position;
    }
    print(`${published} messages wait in the outbox again.`);
  },
};

const listDeadLetters: Operation = {
  command: 'dead-letters list',
  does: 'Messages that were given up after too many attempts, the latest first.',
  options: {
    consumer: { means: 'only those of this consumer', value: 'NAME' },
    limit: limitOption,
  },
  run: async ({ postgres, print }, options) => {
    const rows = await chosen(postgres, options).selectAll().orderBy('dead_at', 'desc').limit(limitOf(options)).execute();
    for (const row of rows) {
      const waiting = row.replay_requested_at === null ? '' : ', replay requested';
      print(`${row.event_id}  ${row.consumer}  ${row.subject}`);
      print(`    dead since ${row.dead_at.toISOString()} after ${row.attempts} attempts${waiting}: ${row.error}`);
    }
    if (rows.length === 0) print('There are none.');
  },
};

const replayDeadLetters: Operation = {
  command: 'dead-letters replay',
  does: 'Hands them to their consumer once more, within seconds. What fails again stays a dead letter, with the new reason.',
  options: {
    event: { means: 'the id of one event', value: 'ID' },
    consumer: { means: 'only those of this consumer', value: 'NAME' },
    all: { means: 'all of them' },
  },
  run: async ({ postgres, print }, options) => {
    requireChoice(options);
    const keys = await chosen(postgres, options).select(['consumer', 'event_id']).execute();
    for (const { consumer, event_id: id } of keys) {
      await postgres.systemDb
        .updateTable('dead_letters')
        .set({ replay_requested_at: new Date() })
        .where('consumer', '=', consumer)
        .where('event_id', '=', id)
        .execute();
    }
    print(`${keys.length} will be handled again.`);
  },
};

const discardDeadLetters: Operation = {
  command: 'dead-letters discard',
  does: 'Deletes them for good.',
  options: replayDeadLetters.options,
  run: async ({ postgres, print }, options) => {
    requireChoice(options);
    let discarded = 0n;
    for (const { consumer, event_id: id } of await chosen(postgres, options).select(['consumer', 'event_id']).execute()) {
      const { numDeletedRows } = await postgres.systemDb
        .deleteFrom('dead_letters')
        .where('consumer', '=', consumer)
        .where('event_id', '=', id)
        .executeTakeFirst();
      discarded += numDeletedRows;
    }
    print(`${discarded} were deleted.`);
  },
};

const listQuarantine: Operation = {
  command: 'quarantine list',
  does: 'Messages that the broker refused for good, the latest first.',
  options: { limit: limitOption },
  run: async ({ postgres, print }, options) => {
    const rows = await postgres.systemDb
      .selectFrom('outbox_quarantine')
      .selectAll()
      .orderBy('quarantined_at', 'desc')
      .limit(limitOf(options))
      .execute();
    for (const row of rows) {
      print(`${row.event_id}  ${row.subject}`);
      print(`    put aside ${row.quarantined_at.toISOString()}: ${row.reason}`);
    }
    if (rows.length === 0) print('There are none.');
  },
};

const releaseQuarantine: Operation = {
  command: 'quarantine release',
  does: 'Puts them back into the outbox, to be published once more.',
  options: { event: { means: 'the id of one event', value: 'ID' }, all: { means: 'all of them' } },
  run: async ({ postgres, print }, options) => {
    requireChoice(options);
    const { rows } = await sql`
      with released as (
        delete from outbox_quarantine where ${textOf(options, 'event') ?? null}::text is null or event_id = ${textOf(options, 'event') ?? null}
        returning event_id, organization_id, subject, aggregate_id, body)
      insert into outbox (event_id, organization_id, subject, aggregate_id, body)
      select * from released on conflict (event_id) do nothing returning 1`.execute(postgres.systemDb);
    print(`${rows.length} messages wait in the outbox again.`);
  },
};

export const commonOperations: readonly Operation[] = [
  republish,
  listDeadLetters,
  replayDeadLetters,
  discardDeadLetters,
  listQuarantine,
  releaseQuarantine,
];

const limitOf = (options: Options): number => {
  const limit = Number(textOf(options, 'limit') ?? '50');
  if (!Number.isInteger(limit) || limit < 1) throw new UsageError('--limit must be a whole number from 1 on.');
  return limit;
};

const chosen = ({ systemDb }: Postgres<ChassisTables>, options: Options) => {
  const [consumer, event] = [textOf(options, 'consumer'), textOf(options, 'event')];
  let query = systemDb.selectFrom('dead_letters');
  if (consumer !== undefined) query = query.where('consumer', '=', consumer);
  if (event !== undefined) query = query.where('event_id', '=', event);
  return query;
};

const requireChoice = ({ all, consumer, event }: Options): void => {
  if (all !== true && consumer === undefined && event === undefined) throw new UsageError('Say which: --event, --consumer or --all.');
};

const textOf = (options: Options, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};

const instantOf = (options: Options, name: string): Date => {
  const text = textOf(options, name);
  const time = text === undefined || !/^\d{4}-\d{2}-\d{2}T/.test(text) ? Number.NaN : Date.parse(text);
  if (Number.isNaN(time)) throw new UsageError(`--${name} is needed: an instant such as 2026-04-01T00:00:00Z.`);
  return new Date(time);
};
