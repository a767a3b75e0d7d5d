/**
 * What a match by hand has left over of the results that it took records from. It goes back to them when the match is undone, unless something
 * has become of it since: it would be open as it was, whatever was found or decided about it, and twice where it is open already.
 */
import type { Transaction } from 'kysely';
import { saysTheSame } from '../../../domain/exception-life.ts';
import { categoryOf } from '../../../domain/exceptions.ts';
import { liveOf } from '../exceptions/exception-refresh.ts';
import { keyOfResult } from '../open-items/record-key.ts';
import { type Run, resultsById, type StoredResult } from '../results/stored-results.ts';
import type { Before, Database } from '../tables.ts';
import { recordsOf } from './match-exchange.ts';
import { matchedByHand } from './match-records.ts';
import { foundLater } from './reopening.ts';

type Trx = Transaction<Database>;

/** The results that hold it. Undefined where somebody has settled some of it, or a later run has found some of it otherwise. */
export const leftAsItWas = async (trx: Trx, run: Run, before: Before): Promise<readonly StoredResult[] | undefined> => {
  const left = await resultsById(trx, run, before.left);
  // Of what was matched by hand in this run, the result is another.
  if (left.length < before.left.length) return undefined;
  if (!(await areOpenAsOpened(trx, run, left, before))) return undefined;
  // What is not due yet has no exception that would tell of it.
  if ((await matchedByHand(trx, run.jobId, left.map(keyOfResult))).size > 0) return undefined;
  return (await foundLater(trx, run, left.flatMap(recordsOf))) === undefined ? left : undefined;
};

const areOpenAsOpened = async (trx: Trx, { jobId }: Run, left: readonly StoredResult[], { opened }: Before): Promise<boolean> => {
  const live = await liveOf(trx, jobId, left.map(keyOfResult));
  if (live.size !== opened.length) return false;
  return left.every((result) => {
    const exception = live.get(keyOfResult(result));
    return exception === undefined || (opened.includes(exception.id) && saysTheSame(exception, saidBy(result)));
  });
};

const saidBy = ({ outcome, source, target }: StoredResult) => ({
  category: categoryOf(outcome, undefined) ?? outcome,
  reason: null,
  records: [...source, ...target],
});
