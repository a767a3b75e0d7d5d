/**
 * What is probably not meant as it was said: a rule about a field that no record has, and a side of which nothing can be used or nothing
 * came; or open items from before the records had ids. None of them fails a run: a day without payments is an ordinary day. All would
 * otherwise be seen only in hundreds of records without counterpart.
 */
import { alternativesOf, type FieldCondition, type Rules } from '@settler/contracts/rules';
import { type Side, sides } from '../side.ts';
import { invalid, noDay, type RecordBatch, usable } from './batch.ts';
import { isPresent } from './columns/text-column.ts';

export interface InputProblem {
  readonly side: Side;
  readonly code: 'no_records' | 'no_such_field' | 'nothing_readable' | 'items_without_id';
  readonly message: string;
  readonly line?: number;
}

const namesShownMax = 20;
const noRecords = 'this side has brought no record: its input is empty or a header alone, or has none of the days of the period';

export const inputProblems = (rules: Rules, batches: Readonly<Record<Side, RecordBatch>>): InputProblem[] =>
  sides.flatMap((side) => {
    const batch = batches[side];
    // Open items of earlier runs say nothing of what this one was given.
    if (batch.carriedFrom === 0) return [{ side, code: 'no_records', message: noRecords }];
    const unreadable = nothingReadable(side, batch);
    return [...itemsWithoutId(side, batch), ...(unreadable === undefined ? noSuchFields(side, batch, rules) : [unreadable])];
  });

/** Of the same record, delivered with its id, nobody knows that it is the same: it takes part twice. */
const itemsWithoutId = (side: Side, { idMapped, texts, carriedFrom, givenFrom, states }: RecordBatch): InputProblem[] => {
  if (!idMapped) return [];
  const ids = texts.get('id');
  let count = 0;
  for (let row = carriedFrom; row < givenFrom; row += 1)
    if (states[row] === usable && (ids === undefined || !isPresent(ids, row))) count += 1;
  if (count === 0) return [];
  const message = `${count} open items are from before this side had ids: they take part besides the records that have come with one now; settle those that are the same`;
  return [{ side, code: 'items_without_id', message }];
};

const nothingReadable = (side: InputProblem['side'], { length, states, reasons, lines }: RecordBatch): InputProblem | undefined => {
  if (!states.every((state) => state === invalid)) return undefined;
  const line = lines[0] as number;
  const first = `${line === 0 ? '' : `line ${line}: `}${reasons.get(0)}`;
  return {
    side,
    code: 'nothing_readable',
    message: `none of the ${length} records can be used; the first: ${first}`,
    ...(line === 0 ? {} : { line }),
  };
};

const noSuchFields = (side: InputProblem['side'], batch: RecordBatch, rules: Rules): InputProblem[] => {
  const asked = new Set([
    ...rules.passes.flatMap(({ match }) => match.flatMap(alternativesOf).flatMap((condition) => fieldsOf(condition, side))),
    ...(rules.duplicates?.by ?? []),
  ]);
  const known = knownFields(batch);
  return [...asked]
    .filter((field) => !known.has(field) && !known.has(field.split('.', 1)[0] as string))
    .sort()
    .map((field) => ({
      side,
      code: 'no_such_field',
      message: `no record has a field ${field}; there are ${[...known].sort().slice(0, namesShownMax).join(', ')}`,
    }));
};

const fieldsOf = (condition: FieldCondition, side: InputProblem['side']): readonly string[] => {
  // A rate stands on the record whose amount it converts.
  const rate = condition.type === 'amount' && condition.fx !== undefined && 'field' in condition.fx ? [condition.fx.field] : [];
  return side === 'source' ? [condition.source, ...rate] : [condition.target];
};

const knownFields = ({ texts, amounts, currencies, days }: RecordBatch): ReadonlySet<string> =>
  new Set([
    ...texts.keys(),
    ...(amounts.some((amount) => !Number.isNaN(amount)) ? ['amount'] : []),
    ...(currencies.some((currency) => currency !== 0) ? ['currency'] : []),
    ...(days.some((day) => day !== noDay) ? ['date'] : []),
  ]);
