/**
 * Which rows of the outbox leave next. Each stream and each organization has its turn: what waits for a stream that takes nothing holds up
 * no other, and neither does an organization with a flood. Of one organization, rows with a higher priority go first, then older ones.
 *
 * Where little waits, all of it is read. Where more does than one round sends, each organization has an equal part of the round, and what
 * one leaves of its own goes to those with more. Where there are more organizations than a round has rows, the next round begins behind
 * the last of them.
 */
import { type Kysely, sql } from 'kysely';
import type { ChassisTables } from './tables.ts';

export interface OutboxRow {
  /** The first word of the subject: what is refused by one of a service's streams is refused for its reasons. */
  readonly stream: string;
  readonly position: bigint;
  readonly event_id: string;
  readonly organization_id: string;
  readonly subject: string;
  readonly aggregate_id: string;
  readonly body: string;
  readonly attempts: number;
}

export interface OutboxTurns {
  /** At most `rowsMax` rows, none of them for a stream that is shut. */
  readonly next: (shut: readonly string[]) => Promise<readonly OutboxRow[]>;
  /** Whether there may be others than those of the last call, whatever becomes of them. */
  readonly goesOn: () => boolean;
}

export const createOutboxTurns = (db: Kysely<ChassisTables>, rowsMax: number): OutboxTurns => {
  let isMuch = false;
  /** Of each stream with more organizations than fit: the last one that had its turn. */
  let begunAfter: ReadonlyMap<string, string> = new Map();
  let goesOn = false;

  const nextOfMuch = async (shut: readonly string[]): Promise<readonly OutboxRow[]> => {
    const { rows } = await sql<OutboxRow & { readonly goes_on: boolean }>`
      /* planned once */
      select stream, goes_on, position, event_id, organization_id, subject, aggregate_id, body, attempts
        from next_outbox_rows(${shut}::text[], ${[...begunAfter.keys()]}::text[], ${[...begunAfter.values()]}::text[], ${rowsMax})`.execute(
      db,
    );
    const wasBehind = begunAfter.size > 0;
    begunAfter = new Map(rows.filter((row) => row.goes_on).map((row) => [row.stream, row.organization_id]));
    goesOn = begunAfter.size > 0 || (wasBehind && rows.length === 0);
    isMuch = goesOn || rows.length === rowsMax;
    return rows;
  };

  const nextOfLittle = async (): Promise<readonly OutboxRow[]> => {
    const { rows } = await sql<OutboxRow>`
      /* planned once */
      select stream, position, event_id, organization_id, subject, aggregate_id, body, attempts
        from (select *, row_number() over (partition by stream, organization_id order by priority desc, position) as turn
                from (select * from outbox order by position limit ${rowsMax + 1}) as all_of_it) as fair
       order by turn, position`.execute(db);
    return rows;
  };

  return {
    next: async (shut) => {
      if (isMuch) return nextOfMuch(shut);
      goesOn = false;
      const rows = await nextOfLittle();
      return rows.length > rowsMax ? nextOfMuch(shut) : rows.filter(({ stream }) => !shut.includes(stream));
    },
    goesOn: () => goesOn,
  };
};
