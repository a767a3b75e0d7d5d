/** What a change of the rules would do to everything else: the same records matched again, and both results held against each other. */
import { currencyText } from '@settler/contracts/currency-codes';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { RecordBatch } from '../batch.ts';
import { Sum } from '../columns/money.ts';
import { outcomeIndex, type ResultColumns, rowsOf } from '../results/columns.ts';

export interface Gain {
  readonly records: number;
  /** By currency, as decimal texts. */
  readonly amounts: Readonly<Record<string, string>>;
}

export interface Effect {
  /** Source records that would newly be matched. */
  readonly gained: Gain;
  /** Those that would no longer be. */
  readonly lost: Gain;
  /** Those that would be matched with other records than now. */
  readonly moved: Gain;
}

export const effectOf = (before: ResultColumns, after: ResultColumns, source: RecordBatch): Effect => {
  const [now, then] = [counterparts(before, source.length), counterparts(after, source.length)];
  const gains = { gained: tally(), lost: tally(), moved: tally() };
  for (let row = 0; row < source.length; row += 1) {
    if (now[row] === then[row]) continue;
    const kind = now[row] === -1 ? 'gained' : then[row] === -1 ? 'lost' : 'moved';
    gains[kind].add(source.currencies[row] as number, source.amounts[row] as number);
  }
  return { gained: gains.gained.said(), lost: gains.lost.said(), moved: gains.moved.said() };
};

/** The first target that each source record is matched with; −1 for none. */
const counterparts = (results: ResultColumns, length: number): Int32Array => {
  const found = new Int32Array(length).fill(-1);
  for (let index = 0; index < results.length; index += 1) {
    if (results.outcomes[index] !== outcomeIndex.matched) continue;
    for (const row of rowsOf(results, 'source', index)) found[row] = results.targets[index] as number;
  }
  return found;
};

const tally = () => {
  const sums = new Map<number, Sum>();
  let records = 0;
  return {
    add: (currency: number, amount: number): void => {
      records += 1;
      const sum = sums.get(currency) ?? new Sum();
      sums.set(currency, sum);
      if (!Number.isNaN(amount)) sum.add(amount);
    },
    said: (): Gain => ({
      records,
      amounts: Object.fromEntries(
        [...sums]
          .map(([code, sum]) => [currencyText(code), fromMinor(sum.total, exponentOf(currencyText(code)))] as const)
          .filter(([code]) => code !== ''),
      ),
    }),
  };
};
