/**
 * A match by hand, and its undoing, as an exchange: results that stood make way for others that have exactly the same records. What is
 * counted and summed of the run's input is therefore the same before and after; only what it is called differs.
 */
import type { ExecutionSummary, Outcome } from '@settler/contracts/executions';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import { dayOf } from './matching/day.ts';
import { countName, matchRateOf } from './matching/results/summary.ts';
import { type Side, sides } from './side.ts';
import { type Fields, type Taken, worthOf } from './stake.ts';

/** A result that is stored, as far as an exchange is about it. */
export interface Standing {
  readonly id: string;
  readonly outcome: Outcome;
  readonly pass: string | null;
  readonly source: readonly Fields[];
  readonly target: readonly Fields[];
}

/** Of each side, records by their ids or, where they have none, the results that they stand alone in. */
export type Wanted = Readonly<Record<Side, readonly string[]>>;

/** Records that will be one match, and what the results that had them leave over. */
export interface Joined {
  readonly taken: Taken;
  /** The results that make way. */
  readonly displaced: readonly Standing[];
  readonly left: readonly { readonly side: Side; readonly record: Fields }[];
}

export type NotJoined =
  /** The request cannot be right: where in it, and why. */
  | { readonly faults: readonly { readonly path: string; readonly message: string }[] }
  /** It may have been right, and is not any more. */
  | { readonly refused: string };

const matchable: readonly Outcome[] = ['missing_in_target', 'missing_in_source', 'mismatched', 'ambiguous'];

/** `standing`: every result of the run that one of the wanted ids may be in. */
export const joinByHand = (standing: readonly Standing[], wanted: Wanted): Joined | NotJoined => {
  const places = sides.flatMap((side) => wanted[side].map((id, index) => ({ side, id, path: `${side}[${index}]` })));
  const found = places.map((place) => ({ ...place, ...placeOf(standing, place.side, place.id) }));
  const faults = found.flatMap(({ path, side, id, result }, index) => {
    if (result === undefined) return [{ path, message: absence(standing, side, id) }];
    const isRepeated = found
      .slice(0, index)
      .some((other) => other.result === result && other.side === side && other.at === found[index]?.at);
    return isRepeated ? [{ path, message: `names the record ${shown(id)} again` }] : [];
  });
  if (faults.length > 0) return { faults };
  const settled = found.find(({ result }) => result !== undefined && !matchable.includes(result.outcome));
  if (settled?.result !== undefined) return { refused: whySettled(settled.side, settled.id, settled.result.outcome) };
  const displaced = [...new Set(found.flatMap(({ result }) => result ?? []))];
  return joined(displaced, (side, result, at) => found.some((one) => one.side === side && one.result === result && one.at === at));
};

/** Takes some records of these results together; `isTaken` says which. */
export const joined = (displaced: readonly Standing[], isTaken: (side: Side, result: Standing, at: number) => boolean): Joined => {
  const taken = { source: [] as Fields[], target: [] as Fields[] };
  const left: { side: Side; record: Fields }[] = [];
  for (const result of displaced) {
    for (const side of sides) {
      for (const [at, record] of result[side].entries()) {
        if (isTaken(side, result, at)) taken[side].push(record);
        else left.push({ side, record });
      }
    }
  }
  return { taken: { source: inOrder(taken.source), target: inOrder(taken.target) }, displaced, left };
};

/** By id, and then by what they say: how they were named decides nothing. */
const inOrder = (records: readonly Fields[]): Fields[] => {
  const named = records.map((record) => ({ record, name: `${String(record['id'] ?? '')}\n${JSON.stringify(record)}` }));
  return named.sort((one, other) => (one.name < other.name ? -1 : 1)).map(({ record }) => record);
};

/** Where it can still be matched, if it is in several results, such as one that repeats another. */
const placeOf = (standing: readonly Standing[], side: Side, id: string): { readonly result?: Standing; readonly at: number } => {
  const named = standing.filter((result) => result[side].some((record) => record['id'] === id));
  const result = named.find(({ outcome }) => matchable.includes(outcome)) ?? named[0];
  if (result !== undefined) return { result, at: result[side].findIndex((record) => record['id'] === id) };
  const whole = standing.find((one) => one.id === id && one[side].length === 1 && one[side][0]?.['id'] === undefined);
  return whole === undefined ? { at: -1 } : { result: whole, at: 0 };
};

const shown = (id: string): string => (id.length > 80 ? `${id.slice(0, 80)}…` : id);

const absence = (standing: readonly Standing[], side: Side, id: string): string => {
  const other: Side = side === 'source' ? 'target' : 'source';
  return placeOf(standing, other, id).result === undefined
    ? `this execution has no record ${shown(id)} in its ${side}`
    : `${shown(id)} is a record of the ${other}`;
};

const whySettled = (side: Side, id: string, outcome: Outcome): string => {
  const about = `The ${side} record ${shown(id)}`;
  switch (outcome) {
    case 'matched':
      return `${about} is matched already.`;
    case 'duplicate':
      return `${about} repeats another one, which may be matched in its place.`;
    default:
      return `${about} is ${outcome}, and cannot be matched.`;
  }
};

export const missingOn = (side: Side): Outcome => (side === 'source' ? 'missing_in_target' : 'missing_in_source');

export interface Difference {
  readonly amount: string | null;
  readonly days: number | null;
}

/** By how much two sides differ: target − source, where both have one currency, and for a pair in days. */
export const differenceOf = (taken: Taken): Difference => {
  const worths = sides.map((side) => taken[side].map(worthOf));
  const [first] = worths.flat();
  const currency = first?.currency ?? '';
  const isComparable = worths.flat().every((worth) => worth.currency === currency && worth.amountMinor !== null);
  const [sources = 0n, targets = 0n] = worths.map((side) => side.reduce((sum, { amountMinor }) => sum + (amountMinor ?? 0n), 0n));
  return { amount: isComparable ? fromMinor(targets - sources, exponentOf(currency)) : null, days: daysBetween(taken) };
};

const daysBetween = ({ source, target }: Taken): number | null => {
  if (source.length !== 1 || target.length !== 1) return null;
  const [from, to] = [source, target].map(([record]) => dayOf(String(record?.['date'] ?? '')));
  return from === undefined || to === undefined ? null : to - from;
};

/** How many of the stored records that count so are called otherwise after an exchange. */
export interface Renaming {
  readonly side: Side;
  readonly currency: string;
  readonly amountMinor: bigint | null;
  readonly from: { readonly outcome: Outcome; readonly pass: string | null };
  readonly to: { readonly outcome: Outcome; readonly pass: string | null };
  readonly count: number;
}

/** @throws where the two do not have the same records: then something would be lost or made up */
export const renamingsOf = (before: readonly Told[], after: readonly Told[]): Renaming[] => {
  const [from, to] = [before, after].map((results) => Map.groupBy(results.flatMap(namesIn), ({ key }) => key));
  if (from === undefined || to === undefined || from.size !== to.size) throw new Error('an exchange would lose or make up records');
  const pairs = [...from].flatMap(([key, olds]) => {
    const news = to.get(key) ?? [];
    if (news.length !== olds.length) throw new Error(`an exchange would lose or make up records: ${key}`);
    return olds.map(({ worth, name }, index) => ({ ...worth, from: name, to: (news[index] ?? { name }).name }));
  });
  return [...Map.groupBy(pairs, ({ amountMinor, ...pair }) => JSON.stringify([pair, amountMinor?.toString()]))].map(([, same]) => ({
    ...(same[0] as (typeof pairs)[number]),
    count: same.length,
  }));
};

type Told = Pick<Standing, 'outcome' | 'pass' | 'source' | 'target'>;

const namesIn = ({ outcome, pass, ...records }: Told) =>
  sides.flatMap((side) =>
    records[side].map((record) => {
      const worth = { side, ...worthOf(record) };
      return { key: `${side} ${worth.currency} ${worth.amountMinor}`, worth, name: { outcome, pass } };
    }),
  );

type Counted = Pick<Standing, 'outcome' | 'source' | 'target'>;

/** The summary once some results have made way for others. `matchedSources`: how many source records are matched then. */
export const summaryAfter = (
  summary: ExecutionSummary,
  before: readonly Counted[],
  after: readonly Counted[],
  matchedSources: number,
): ExecutionSummary => {
  const changed = structuredClone(summary);
  for (const [results, step] of [
    [before, -1],
    [after, 1],
  ] as const) {
    for (const { outcome, source, target } of results) {
      const name = countName[outcome];
      changed[name] += step;
      const currency = [source[0], target[0]].map((record) => worthOf(record ?? {}).currency).find((code) => code !== '');
      const ofCurrency = currency === undefined ? undefined : changed.byCurrency[currency];
      if (ofCurrency !== undefined) ofCurrency[name] += step;
    }
  }
  const { records } = changed.source;
  return { ...changed, matchRate: matchRateOf(matchedSources, records) };
};
