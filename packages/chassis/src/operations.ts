/** What an operator may do to any service: publish again what it has published, and see to messages that could not be handled. */
import { instantInput } from '@settler/contracts/time';
import { sql } from 'kysely';
import { type Operation, type Options, UsageError } from './operation.ts';

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
    const rows = await postgres.systemDb
      .selectFrom('dead_letters')
      .selectAll()
      .where(chosen(options))
      .orderBy('dead_at', 'desc')
      .limit(limitOf(options))
      .execute();
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
    const { numUpdatedRows } = await postgres.systemDb
      .updateTable('dead_letters')
      .set({ replay_requested_at: new Date() })
      .where(chosen(options))
      .executeTakeFirst();
    print(`${numUpdatedRows} will be handled again.`);
  },
};

const discardDeadLetters: Operation = {
  command: 'dead-letters discard',
  does: 'Deletes them for good.',
  options: replayDeadLetters.options,
  run: async ({ postgres, print }, options) => {
    requireChoice(options);
    const { numDeletedRows } = await postgres.systemDb.deleteFrom('dead_letters').where(chosen(options)).executeTakeFirst();
    print(`${numDeletedRows} were deleted.`);
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
        delete from outbox_quarantine where ${is('event_id', textOf(options, 'event'))}
        returning event_id, organization_id, subject, aggregate_id, body)
      insert into outbox (event_id, organization_id, subject, aggregate_id, body)
      select * from released on conflict (event_id) do nothing returning 1`.execute(postgres.systemDb);
    print(`${rows.length} messages wait in the outbox again.`);
  },
};

export const operations: readonly Operation[] = [
  republish,
  listDeadLetters,
  replayDeadLetters,
  discardDeadLetters,
  listQuarantine,
  releaseQuarantine,
];

const limitOf = (options: Options): number => {
  const limit = textOf(options, 'limit') ?? '50';
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new UsageError('--limit must be a whole number from 1 to 999999999.');
  return Number(limit);
};

/** What an option that was not given leaves open, it leaves open here. */
const is = (column: string, value: string | undefined) =>
  sql<boolean>`(${value ?? null}::text is null or ${sql.ref(column)} = ${value ?? null})`;

/** Of the dead letters, those that the options name. */
const chosen = (options: Options) =>
  sql<boolean>`${is('consumer', textOf(options, 'consumer'))} and ${is('event_id', textOf(options, 'event'))}`;

const requireChoice = ({ all, consumer, event }: Options): void => {
  if (all !== true && consumer === undefined && event === undefined) throw new UsageError('Say which: --event, --consumer or --all.');
  if (all === true && (consumer !== undefined || event !== undefined)) throw new UsageError('Say either --all or which.');
};

const textOf = (options: Options, name: string): string | undefined => {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
};

const instantOf = (options: Options, name: string): Date => {
  const text = textOf(options, name);
  const example = 'an instant such as 2026-04-01T00:00:00Z';
  if (text === undefined) throw new UsageError(`--${name} is needed: ${example}.`);
  const read = instantInput.safeParse(text);
  // Without an offset it would be one of the machine that this runs on.
  if (!read.success) throw new UsageError(`--${name} must be ${example}, with Z or an offset.`);
  return new Date(read.data);
};
