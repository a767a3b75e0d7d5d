/** What is told of an exception by the run that has found its records. */
import { sql } from 'kysely';
import type { HeldExecution } from '../../../application/ports.ts';
import { lastPosition } from './exception-history.ts';

/** Whoever has one of these has a counterpart, or an exception of its own about which one it is. */
export const better = ['matched', 'mismatched', 'ambiguous'] as const;

/** By their keys, what the run has noted of open items that have met somebody. */
export type MetItems = ReadonlyMap<string, string>;

/** An exception, and what the run has found of its record. */
export interface Met {
  readonly id: string;
  readonly outcome: string;
}

export const foundIn =
  (met: MetItems) =>
  ({ id, record_key: key }: { readonly id: string; readonly record_key: string }): Met => ({ id, outcome: met.get(key) as string });

export const asTable = (met: readonly Met[]) =>
  sql`unnest(${met.map(({ id }) => id)}::text[], ${met.map(({ outcome }) => outcome)}::text[]) as m(id, outcome)`;

/** A line in the history of each exception in `met`, which has its id and the outcome. */
export const noted = (met: string, action: string, { id, organizationId }: HeldExecution, detail: object = {}) => sql`
  insert into exception_history (exception_id, organization_id, position, at, actor_type, actor_id, action, detail)
  select met.id, ${organizationId}, 1 + ${lastPosition(sql`met.id`)},
         now(), 'system', 'system', ${action},
         ${JSON.stringify(detail)}::jsonb || jsonb_build_object('executionId', ${id}::text, 'outcome', met.outcome)
    from ${sql.table(met)} as met`;
