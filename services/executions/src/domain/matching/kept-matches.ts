/**
 * Records that an earlier run has matched and that are delivered again as they were, without those that they were matched with: they keep
 * that match, and meet nobody else, or what was paid once would be paid twice. Where all of a match are delivered again they take part like
 * any records, and the rules decide anew; and so they do where one of them says something else now, or is open since. Of a match that is broken
 * by another version of a record, the others that are not here are told, so that whoever has them can bring them.
 */
import { type Side, sides } from '../side.ts';
import { type RecordBatch, usable } from './batch.ts';
import { type TextColumn, textAt } from './columns/text-column.ts';
import { contentAt, createWriteKey, type Keys, type MatchKeys, matchAt, wordsPerKey } from './match-keys.ts';

/** What runs have matched, a piece of results each; `first`: the position of its first result. */
export interface EarlierMatches extends MatchKeys {
  readonly executionId: string;
  readonly first: number;
}

export interface Kept {
  readonly row: number;
  /** The run that has its match. */
  readonly executionId: string;
}

export type KeptMatches = Readonly<Record<Side, readonly Kept[]>>;

/** The result of a match, one record of which has come in another version, while not all others are here. */
export interface BrokenMatch {
  readonly executionId: string;
  readonly position: number;
  readonly side: Side;
  readonly recordId: string;
}

/** `earlier`: those of the newest run first. `isFree`: rows that take part whatever was matched before: somebody has taken them apart since. */
export const findKept = (
  earlier: readonly EarlierMatches[],
  batches: Readonly<Record<Side, RecordBatch>>,
  isFree: (side: Side, row: number) => boolean,
): { readonly kept: KeptMatches; readonly broken: readonly BrokenMatch[] } => {
  if (earlier.length === 0) return { kept: { source: [], target: [] }, broken: [] };
  const matches = numbered(earlier);
  const found = sides.map((side) => ({ side, ...recognized(side, batches[side], earlier, matches, isFree) }));
  // Not before both sides have said what has come of each match.
  const [source = [], target = []] = found.map(({ same }) =>
    same.filter(({ match }) => matches.isHeld(match)).map(({ row, executionId }) => ({ row, executionId })),
  );
  const broken = new Map<number, BrokenMatch>();
  for (const { side, changed } of found) {
    for (const { row, match, executionId, position } of changed) {
      if (matches.isLacking(match))
        broken.set(match, { executionId, position, side, recordId: textAt(batches[side].texts.get('id') as TextColumn, row) });
    }
  }
  return { kept: { source, target }, broken: [...broken.values()] };
};

/** All results of all pieces that have a match, each under one number, and what is here of them. */
const numbered = (earlier: readonly EarlierMatches[]) => {
  const firsts: number[] = [];
  let count = 0;
  for (const { source, target } of earlier) {
    firsts.push(count);
    count += Math.max(source.at(matchAt - wordsPerKey) ?? -1, target.at(matchAt - wordsPerKey) ?? -1) + 1;
  }
  const absent = new Int32Array(count);
  const isBroken = new Uint8Array(count);
  const isOvertaken = new Uint8Array(count);
  for (const [piece, { source, target }] of earlier.entries()) {
    for (const keys of [source, target]) {
      for (let at = matchAt; at < keys.length; at += wordsPerKey) {
        const match = (firsts[piece] as number) + (keys[at] as number);
        absent[match] = (absent[match] as number) + 1;
      }
    }
  }
  return {
    firsts,
    delivered: (match: number): void => {
      absent[match] = (absent[match] as number) - 1;
    },
    broken: (match: number): void => {
      isBroken[match] = 1;
    },
    /** One of its records is in the match of a newer run. */
    overtaken: (match: number): void => {
      isOvertaken[match] = 1;
    },
    /** Whether it goes on: nobody says anything else, and somebody is missing. */
    isHeld: (match: number): boolean => isBroken[match] === 0 && (absent[match] as number) > 0,
    /** Whether somebody is missing who is in no other match. */
    isLacking: (match: number): boolean => isOvertaken[match] === 0 && (absent[match] as number) > 0,
  };
};
type Numbered = ReturnType<typeof numbered>;

interface Recognized extends Kept {
  readonly match: number;
  readonly position: number;
}

/** Rows that are a matched record and take no part in anything else: those that say what it has said, and those that do not. */
const recognized = (
  side: Side,
  batch: RecordBatch,
  earlier: readonly EarlierMatches[],
  matches: Numbered,
  isFree: (side: Side, row: number) => boolean,
): { readonly same: readonly Recognized[]; readonly changed: readonly Recognized[] } => {
  const takeKey = createTakeKey(
    earlier.map(({ executionId, first, [side]: keys }) => ({ executionId, first, keys })),
    matches,
  );
  const writeKey = createWriteKey(side, batch);
  const words = new Uint32Array(wordsPerKey);
  const [same, changed]: [Recognized[], Recognized[]] = [[], []];
  for (let row = 0; row < batch.givenFrom; row += 1) {
    const isOpenItem = row >= batch.carriedFrom || batch.supersedes.has(row);
    if (batch.states[row] !== usable || (isOpenItem && !batch.idMapped)) continue;
    writeKey(row, words, 0);
    const key = takeKey(words);
    if (key === undefined) continue;
    const { match, executionId, position, saysTheSame } = key;
    matches.delivered(match);
    const takesPart = isOpenItem || isFree(side, row);
    if (takesPart || !saysTheSame) matches.broken(match);
    if (!takesPart) (saysTheSame ? same : changed).push({ row, match, executionId, position });
  }
  return { same, changed };
};

interface Found extends Omit<Recognized, 'row'> {
  readonly saysTheSame: boolean;
}

/** The key of a record in the newest run that has matched it; of several without ids that say the same, each once. Open addressing. */
const createTakeKey = (
  pieces: readonly { readonly executionId: string; readonly first: number; readonly keys: Keys }[],
  { firsts, overtaken }: Numbered,
): ((words: Keys) => Found | undefined) => {
  const length = pieces.reduce((sum, { keys }) => sum + keys.length / wordsPerKey, 0);
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, length * 2))) - 1;
  // Numbers of keys count from 1; 0 is none.
  const places = new Uint32Array(mask + 1);
  /** Of the same run, the next one of the same record. */
  const nexts = new Uint32Array(length + 1);
  const pieceOf = new Uint32Array(length + 1);
  const atOf = new Uint32Array(length + 1);
  const isTaken = new Uint8Array(length + 1);
  const keysOf = (key: number): Keys => pieces[pieceOf[key] as number]?.keys as Keys;
  const executionOf = (key: number): string => pieces[pieceOf[key] as number]?.executionId as string;

  const placeOf = (words: Keys, at: number): number => {
    for (let place = (words[at] as number) & mask; ; place = (place + 1) & mask) {
      const key = places[place] as number;
      if (key === 0 || areEqual(keysOf(key), atOf[key] as number, words, at, contentAt)) return place;
    }
  };
  let count = 0;
  for (const [piece, { executionId, keys }] of pieces.entries()) {
    for (let at = 0; at < keys.length; at += wordsPerKey) {
      const place = placeOf(keys, at);
      const first = places[place] as number;
      // What a newer run has matched is in another match by now.
      if (first !== 0 && executionOf(first) !== executionId) {
        overtaken((firsts[piece] as number) + (keys[at + matchAt] as number));
        continue;
      }
      count += 1;
      nexts[count] = first;
      pieceOf[count] = piece;
      atOf[count] = at;
      places[place] = count;
    }
  }
  return (words) => {
    const found = placeOf(words, 0);
    const key = places[found] as number;
    if (key === 0 || isTaken[key] === 1) return undefined;
    // The last one stays where it is: others have been put behind it.
    isTaken[key] = 1;
    if (nexts[key] !== 0) places[found] = nexts[key] as number;
    const piece = pieceOf[key] as number;
    const [keys, at] = [keysOf(key), atOf[key] as number];
    const place = keys[at + matchAt] as number;
    return {
      match: (firsts[piece] as number) + place,
      executionId: executionOf(key),
      position: (pieces[piece]?.first as number) + place,
      saysTheSame: areEqual(keys, at + contentAt, words, contentAt, matchAt - contentAt),
    };
  };
};

const areEqual = (keys: Keys, at: number, others: Keys, othersAt: number, words: number): boolean => {
  for (let word = 0; word < words; word += 1) if (keys[at + word] !== others[othersAt + word]) return false;
  return true;
};
