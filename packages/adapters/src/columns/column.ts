/** One field of a chunk: how the cells of its columns come into it. */
import type { ColumnChunk, TextCells } from '../columns.ts';
import type { Placed } from '../fields/layout.ts';
import { assumesPoint, type FieldPlan } from '../fields/plan.ts';
import type { Rows } from './cells.ts';
import { amounts, fillAmounts, fillDebitCredit, fillFixedAmount, isCanonicalAmount } from './fill-amount.ts';
import { currencies, fillCurrencies, fillFixedCurrency } from './fill-currency.ts';
import { days, fillDays, fillFixedDay, isCanonicalDay } from './fill-date.ts';
import { fillFixed, fillIds, fillRead, fillReadOfTwo, fillText, type IsPlain } from './fill-text.ts';
import { dropNumbers, numbersOf } from './numbers.ts';
import { type Doubtful, refuseDoubtful, settleAmounts } from './settle.ts';
import { dropTexts, textHeap, textsOf } from './text-heap.ts';

/** A column's part of a chunk. */
type Part = Pick<ColumnChunk, 'amount' | 'currency' | 'date'> & { readonly text?: readonly [field: string, cells: TextCells] };

export type Column = {
  readonly fill: (rows: Rows) => void;
  /** What only shows once all columns are filled. */
  readonly settle?: (rows: Rows, currencyMapped: boolean) => void;
  /** The first rows, until they are dropped. */
  readonly part: (rows: number) => Part;
  readonly drop: (rows: number) => void;
};

export const columnOf = ({ plan, columns }: Placed): Column => {
  if (plan.field === 'amount') return amountColumn(plan, columns);
  if (plan.field === 'currency') return currencyColumn(plan, columns);
  if (plan.field === 'date') return dateColumn(plan, columns);
  return assumesPoint(plan) ? assumedColumn(plan, columns) : textColumn(plan.field, filling(plan, columns));
};

/** A column that no field names, under its own name. */
export const rawColumn = (name: string, column: number): Column => textColumn(name, (heap, rows) => fillText(heap, rows, column, false));

type Fill = (heap: ReturnType<typeof textHeap>, rows: Rows) => void;

const textColumn = (field: string, fill: Fill): Column => {
  const heap = textHeap();
  return {
    fill: (rows) => fill(heap, rows),
    part: (rows) => ({ text: [field, textsOf(heap, rows)] }),
    drop: (rows) => dropTexts(heap, rows),
  };
};

/** Amounts that stay texts, with a point that nobody named: whether it was meant shows once the currencies of the rows are known. */
const assumedColumn = (plan: FieldPlan, columns: readonly number[]): Column => {
  let doubtful: Doubtful[] = [];
  const fill = filling(plan, columns, (row, amount) => doubtful.push({ row, amount }));
  return {
    ...textColumn(plan.field, (heap, rows) => {
      doubtful = [];
      fill(heap, rows);
    }),
    settle: (rows) => refuseDoubtful(rows, plan.field, doubtful),
  };
};

const never: IsPlain = () => false;

/** Three digits behind a point may be thousands. */
const isCertainAmount: IsPlain = (bytes, start, end) => bytes[end - 4] !== point && isCanonicalAmount(bytes, start, end);
const point = 46;

/** `onRead` is told what is read of a cell that is not copied as it stands. */
const filling = (plan: FieldPlan, columns: readonly number[], onRead?: (row: number, value: string) => void): Fill => {
  const { written } = plan;
  const [first = 0, second = 0] = columns;
  switch (written.as) {
    case 'text':
      return (heap, rows) => fillText(heap, rows, first, true);
    case 'currency':
      return (heap, rows) => fillRead(heap, rows, plan, first, never);
    case 'fixed':
      return (heap, rows) => fillFixed(heap, rows, plan);
    case 'id':
      return (heap, rows) => fillIds(heap, rows, plan, first);
    case 'date':
      return (heap, rows) => fillRead(heap, rows, plan, first, written.iso ? isCanonicalDay : never);
    case 'amount': {
      const isAmount = written.assumed ? isCertainAmount : isCanonicalAmount;
      const isPlain = written.point === point && !written.negate ? isAmount : never;
      return (heap, rows) => fillRead(heap, rows, plan, first, isPlain, onRead);
    }
    case 'debitCredit':
      return (heap, rows) => fillReadOfTwo(heap, rows, plan, first, second, onRead);
    default:
      return written satisfies never;
  }
};

const amountColumn = (plan: FieldPlan, columns: readonly number[]): Column => {
  const target = amounts();
  const { written } = plan;
  const [first = 0] = columns;
  return {
    fill: (rows) => {
      if (written.as === 'amount') fillAmounts(target, rows, plan, first, written.point, written.negate);
      else if (written.as === 'debitCredit') fillDebitCredit(target, rows, plan, columns, written.point);
      else fillFixedAmount(target, rows, plan);
    },
    settle: (rows, currencyMapped) => settleAmounts(target, rows, currencyMapped, assumesPoint(plan)),
    part: (rows) => ({ amount: { units: numbersOf(target.units, rows), unfit: target.unfit.filter(({ row }) => row < rows) } }),
    drop: (rows) => {
      dropNumbers(target.units, rows);
      target.unfit = target.unfit.filter(({ row }) => row >= rows).map((amount) => ({ ...amount, row: amount.row - rows }));
    },
  };
};

const currencyColumn = (plan: FieldPlan, columns: readonly number[]): Column => {
  const target = currencies();
  const { written } = plan;
  const [first = 0] = columns;
  return {
    fill: (rows) => {
      if (written.as === 'currency') fillCurrencies(target, rows, plan, first);
      else fillFixedCurrency(target, rows, plan);
    },
    part: (rows) => ({ currency: numbersOf(target, rows) }),
    drop: (rows) => dropNumbers(target, rows),
  };
};

const dateColumn = (plan: FieldPlan, columns: readonly number[]): Column => {
  const target = days();
  const { written } = plan;
  const [first = 0] = columns;
  return {
    fill: (rows) => {
      if (written.as === 'date') fillDays(target, rows, plan, first, written);
      else fillFixedDay(target, rows, plan);
    },
    part: (rows) => ({ date: numbersOf(target, rows) }),
    drop: (rows) => dropNumbers(target, rows),
  };
};
