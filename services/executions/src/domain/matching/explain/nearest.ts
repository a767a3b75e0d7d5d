/**
 * Who else might have been the counterpart of an open record: every record of the other side is held against every pass, and those
 * come first for which the fewest conditions fail, and then those that agree most in the rest.
 */
import { noCurrency } from '@settler/contracts/currency-codes';
import type { Pass, Rules } from '@settler/contracts/rules';
import type { Side } from '../../side.ts';
import { compareRows, type RecordBatch, usable } from '../batch.ts';
import { crossesCurrencies } from '../conditions/fx.ts';
import type { Judge } from '../conditions/judge.ts';

export interface Near {
  readonly pass: number;
  /** The row of the other side. */
  readonly row: number;
  /** Conditions of the pass that fail, by index. */
  readonly failed: readonly number[];
  /** The weighted mean of those that hold, 0 to 1. */
  readonly score: number;
}

export interface NearestNeeds {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
  readonly rules: Rules;
  readonly judgesOf: (pass: number) => readonly Judge[];
}

const rowsPerPiece = 8_192;

/** The `count` nearest; one that several passes come close to is told of once, by the pass that comes closest. */
export const nearest = (needs: NearestNeeds, side: Side, row: number, count: number): Near[] => {
  const { source, target, rules } = needs;
  const other = side === 'source' ? target : source;
  const better = (one: Near, two: Near): number =>
    one.failed.length - two.failed.length || two.score - one.score || compareRows(other, one.row, two.row) || one.pass - two.pass;
  let best: Near[] = [];
  for (const [index, pass] of rules.passes.entries()) {
    const found = nearestOfPass(needs, pass, index, side, row, count, better);
    best = [...best, ...found].sort(better);
  }
  return best.filter((near, index) => best.findIndex((earlier) => earlier.row === near.row) === index).slice(0, count);
};

const nearestOfPass = (
  { source, target, judgesOf }: NearestNeeds,
  rule: Pass,
  pass: number,
  side: Side,
  row: number,
  count: number,
  better: (one: Near, two: Near) => number,
): Near[] => {
  const judges = judgesOf(pass);
  const other = side === 'source' ? target : source;
  const weightTotal = judges.reduce((sum, { weight }) => sum + weight, 0);
  const given = new Int32Array(rowsPerPiece).fill(row);
  const others = new Int32Array(rowsPerPiece);
  const scores = judges.map(() => new Float64Array(rowsPerPiece));
  let best: Near[] = [];
  let worst: Near | undefined;

  const judgePiece = (size: number): void => {
    const [sources, targets] = side === 'source' ? [given, others] : [others, given];
    for (const [index, { judge }] of judges.entries()) judge(sources, targets, size, scores[index] as Float64Array);
    for (let at = 0; at < size; at += 1) {
      let failing = 0;
      let weighted = 0;
      for (const [index, column] of scores.entries()) {
        const score = column[at] as number;
        if (Number.isNaN(score)) failing += 1;
        else weighted += score * (judges[index] as Judge).weight;
      }
      // All of them fail for nearly everybody: those are not near.
      if (failing === judges.length || (worst !== undefined && failing > worst.failed.length)) continue;
      const failed = scores.flatMap((column, index) => (Number.isNaN(column[at] as number) ? [index] : []));
      best.push({ pass, row: others[at] as number, failed, score: weighted / weightTotal });
      if (best.length < count * 4) continue;
      best = best.sort(better).slice(0, count);
      worst = best.at(-1);
    }
  };

  const currency = (side === 'source' ? source : target).currencies[row] as number;
  const isOfAny = currency === noCurrency || crossesCurrencies(rule);
  let size = 0;
  for (let candidate = 0; candidate < other.length; candidate += 1) {
    const theirs = other.currencies[candidate] as number;
    if (other.states[candidate] !== usable || !(isOfAny || theirs === currency || theirs === noCurrency)) continue;
    others[size] = candidate;
    size += 1;
    if (size < rowsPerPiece) continue;
    judgePiece(size);
    size = 0;
  }
  judgePiece(size);
  return best.sort(better).slice(0, count);
};
