/**
 * Two runs held against each other, record by record: what is newly matched, what no longer is, what is matched with others, and what
 * only one of them has. A record is the same by its side and id; without ids, by what it says, as many times as it is said.
 */
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { asRead } from './open-items.ts';
import { type Side, sides } from './side.ts';
import { type Fields, worthOf } from './stake.ts';

export const changes = ['newly_matched', 'no_longer_matched', 'matched_otherwise', 'added', 'gone'] as const;
export type Change = (typeof changes)[number];

export interface Compared {
  readonly isMatched: boolean;
  readonly source: readonly Fields[];
  readonly target: readonly Fields[];
}

export interface DiffLine {
  readonly change: Change;
  readonly side: Side;
  readonly currency: string;
  readonly count: number;
  readonly amount: string;
}

export interface RunDiff {
  readonly lines: readonly DiffLine[];
  /** The first few of each change. */
  readonly examples: readonly { readonly change: Change; readonly side: Side; readonly record: Fields }[];
}

const examplesMax = 20;

/** Whom a record is matched with, `open` where it is not, `kept` where those are not in its run; and the record itself. */
interface Entry {
  readonly counterparts: string;
  readonly record: Fields;
}
type Known = Map<string, Entry[]>;

/** No key of a record begins so. */
const kept = '.';
const open = '';

export const createDiff = () => {
  const before = { source: new Map(), target: new Map() } as Record<Side, Known>;
  return {
    add: (results: Iterable<Compared>): void => collect(before, results),
    against: (results: Iterable<Compared>): RunDiff => {
      const after = { source: new Map(), target: new Map() } as Record<Side, Known>;
      collect(after, results);
      const told = createTold();
      for (const side of sides) compare(side, before[side], after[side], told.tell);
      return told.said();
    },
  };
};

const keyOf = (record: Fields): string => (record['id'] === undefined ? `=${JSON.stringify(asRead(record))}` : `#${String(record['id'])}`);

const collect = (known: Record<Side, Known>, results: Iterable<Compared>): void => {
  for (const { isMatched, ...records } of results) {
    const keys = { source: records.source.map(keyOf), target: records.target.map(keyOf) };
    for (const side of sides) {
      const others = side === 'source' ? keys.target : keys.source;
      // One text for all records of the result, of which there may be thousands.
      const counterparts = isMatched ? counterpartsOf(others) : open;
      for (const [index, record] of records[side].entries()) {
        const key = keys[side][index] ?? '';
        const entries = known[side].get(key);
        if (entries === undefined) known[side].set(key, [{ counterparts, record }]);
        else entries.push({ counterparts, record });
      }
    }
  }
};

const counterpartsOf = (keys: readonly string[]): string => {
  const [first = kept] = keys;
  return keys.length < 2 ? first : keys.toSorted().join('\n');
};

type Tell = (change: Change, side: Side, record: Fields) => void;

/** Of those that say the same, matched ones are held against matched ones first. */
const compare = (side: Side, before: Known, after: Known, tell: Tell): void => {
  for (const [key, olds] of before) {
    const [was, is] = [inOrder(olds), inOrder(after.get(key) ?? [])];
    for (const [index, { counterparts, record }] of was.entries()) {
      const now = is[index];
      const change = now === undefined ? 'gone' : changeOf(counterparts, now.counterparts);
      if (change !== undefined) tell(change, side, (now ?? { record }).record);
    }
    for (const { record } of is.slice(was.length)) tell('added', side, record);
  }
  for (const [key, entries] of after) if (!before.has(key)) for (const { record } of entries) tell('added', side, record);
};

const changeOf = (before: string, after: string): Change | undefined => {
  if (before === after) return undefined;
  if (before === open) return 'newly_matched';
  if (after === open) return 'no_longer_matched';
  // Of a match that is kept, this run does not know with whom it is.
  return before === kept || after === kept ? undefined : 'matched_otherwise';
};

const inOrder = (entries: readonly Entry[]): readonly Entry[] =>
  entries.length < 2 ? entries : entries.toSorted((one, other) => (one.counterparts > other.counterparts ? -1 : 1));

const createTold = () => {
  const lines = new Map<string, { change: Change; side: Side; currency: string; count: number; amountMinor: bigint }>();
  const examples: { change: Change; side: Side; record: Fields }[] = [];
  const shown = new Map<Change, number>();
  return {
    tell: ((change, side, record) => {
      const { currency, amountMinor } = worthOf(record);
      const key = `${changes.indexOf(change)} ${side} ${currency}`;
      const line = lines.get(key) ?? { change, side, currency, count: 0, amountMinor: 0n };
      lines.set(key, { ...line, count: line.count + 1, amountMinor: line.amountMinor + (amountMinor ?? 0n) });
      const count = shown.get(change) ?? 0;
      if (count < examplesMax) examples.push({ change, side, record });
      shown.set(change, count + 1);
    }) satisfies Tell,
    said: (): RunDiff => ({
      lines: [...lines]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([, { amountMinor, ...line }]) => ({ ...line, amount: fromMinor(amountMinor, exponentOf(line.currency)) })),
      examples: examples.sort((one, other) => changes.indexOf(one.change) - changes.indexOf(other.change)),
    }),
  };
};
