/** The match of an earlier run that a record keeps: it cannot be undone for one of its records alone, or the others would be matched with nobody. */
import type { Transaction } from 'kysely';
import type { SideRecord } from '../../../application/ports.ts';
import { keptIn } from '../../../domain/matching/reconcile.ts';
import { asRead } from '../../../domain/open-items.ts';
import { completedRun, type Run, resultsHolding, type StoredResult } from '../results/stored-results.ts';
import type { Database } from '../tables.ts';
import { recordsOf } from './match-exchange.ts';

type Trx = Transaction<Database>;

export interface KeptMatch {
  /** The run that has made it. */
  readonly run: Run;
  readonly match: StoredResult;
  /** Whoever keeps it, one result for each. */
  readonly keepers: readonly StoredResult[];
}

/** Undefined where the result keeps none, or that is not there any more. */
export const keptMatch = async (trx: Trx, run: Run, result: StoredResult): Promise<KeptMatch | undefined> => {
  const id = runKeptIn(result);
  if (id === undefined) return undefined;
  const made = await trx
    .selectFrom('executions')
    .select('id')
    .where('id', '=', id)
    .where('job_id', '=', run.jobId)
    .where('results_dropped_at', 'is', null)
    .executeTakeFirst();
  if (made === undefined) return undefined;
  const madeIn = await completedRun(trx, id);
  const match = (await resultsHolding(trx, madeIn, recordsOf(result))).find(({ outcome, pass }) => outcome === 'matched' && pass !== null);
  return match === undefined ? undefined : { run: madeIn, match, keepers: [result, ...(await keepersOf(trx, run, match, result))] };
};

const runKeptIn = ({ outcome, pass, reason }: StoredResult): string | undefined =>
  outcome === 'matched' && pass === null ? keptIn(reason) : undefined;

/** A group has more records than are looked for at once. */
const recordsTogether = 1_000;

/** Besides the one that is known. Of those without ids that say the same, as many as the match has. */
const keepersOf = async (trx: Trx, run: Run, match: StoredResult, known: StoredResult): Promise<readonly StoredResult[]> => {
  const others = new Map<string, number>();
  for (const record of recordsOf(match)) others.set(saying(record), (others.get(saying(record)) ?? 0) + 1);
  const isOther = (result: StoredResult): boolean => {
    const said = saying(recordsOf(result)[0] as SideRecord);
    const left = others.get(said) ?? 0;
    others.set(said, left - 1);
    return left > 0;
  };
  isOther(known);
  const records = recordsOf(match);
  const found = new Map<string, StoredResult>();
  for (let from = 0; from < records.length; from += recordsTogether) {
    for (const result of await resultsHolding(trx, run, records.slice(from, from + recordsTogether)))
      if (result.id !== known.id && runKeptIn(result) === runKeptIn(known)) found.set(result.id, result);
  }
  return [...found.values()].filter(isOther);
};

const saying = ({ side, record }: SideRecord): string => `${side}\n${JSON.stringify(asRead(record))}`;
