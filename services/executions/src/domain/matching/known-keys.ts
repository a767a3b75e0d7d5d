/**
 * Who the records of one side were in earlier runs. Of a record with an id the newest run tells; of those without one that say the same there
 * may be several, in one run and in others, and it is worked out which of them are still what they were.
 */
import type { EarlierMatches, Numbered } from './earlier-matches.ts';
import { contentAt, isNameless, isOpenIn, type Keys, type Mark, markIn, marks, matchAt, placeIn, wordsPerKey } from './match-keys.ts';

export interface Found {
  readonly match: number;
  readonly executionId: string;
  readonly runAt: number;
  readonly position: number;
  /** Of a record without an id: one number for all that say the same. */
  readonly nameless: number | undefined;
  /** It was in a result that is no match. */
  readonly isOpen: boolean;
  /** It was matched, and says the same. */
  readonly holds: boolean;
}

/**
 * The key of a record in the newest run that has found something of it. Without an id there may be several, in one run and in others: each is
 * given once, and none that a newer run has found anew.
 */
type TakeKey = (words: Keys) => Found | undefined;

export interface KnownKeys {
  readonly take: TakeKey;
  /** Of an open item without an id: what tells of it is given to nobody else. Before any is taken. */
  readonly leaveOpen: (words: Keys) => void;
  /**
   * Of records without ids that say the same, leaves those that no newer run has found anew. `certain`: only tells where all of a run have been,
   * from which the other side knows more of who it was.
   */
  readonly leaveCurrent: (which: 'certain' | 'likely') => void;
}

/** Open addressing. */
export const createKnownKeys = (
  pieces: readonly (Pick<EarlierMatches, 'executionId' | 'runAt' | 'first'> & { readonly keys: Keys })[],
  { firsts, isOfOne, overtaken, isOvertaken }: Numbered,
): KnownKeys => {
  const length = pieces.reduce((sum, { keys }) => sum + keys.length / wordsPerKey, 0);
  const mask = 2 ** Math.ceil(Math.log2(Math.max(2, length * 2))) - 1;
  // Numbers of keys count from 1; 0 is none.
  const places = new Uint32Array(mask + 1);
  /** The next one of the same record. */
  const nexts = new Uint32Array(length + 1);
  const pieceOf = new Uint32Array(length + 1);
  const atOf = new Uint32Array(length + 1);
  const isTaken = new Uint8Array(length + 1);
  const isInOrder = new Uint8Array(mask + 1);
  /** How many open items say what is kept there. */
  const openAt = new Map<number, number>();
  const keysOf = (key: number): Keys => pieces[pieceOf[key] as number]?.keys as Keys;
  const executionOf = (key: number): string => pieces[pieceOf[key] as number]?.executionId as string;
  const wordOf = (key: number): number => keysOf(key)[(atOf[key] as number) + matchAt] as number;
  const matchOf = (key: number): number => (firsts[pieceOf[key] as number] as number) + placeIn(wordOf(key));
  const positionOf = (key: number): number => (pieces[pieceOf[key] as number]?.first as number) + placeIn(wordOf(key));

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
      // What a newer run has found is in another result by now.
      if (first !== 0 && executionOf(first) !== executionId && !isNameless(keys, at)) {
        overtaken((firsts[piece] as number) + placeIn(keys[at + matchAt] as number));
        continue;
      }
      count += 1;
      nexts[count] = first;
      pieceOf[count] = piece;
      atOf[count] = at;
      places[place] = count;
    }
  }

  /** Those that say the same, the oldest run's first. */
  const chained = (place: number): number[] => {
    const all: number[] = [];
    for (let key = places[place] as number; key !== 0; key = nexts[key] as number) all.push(key);
    return all;
  };
  const chain = (place: number, keys: readonly number[]): void => {
    places[place] = keys[0] as number;
    for (let index = 0; index < keys.length; index += 1) nexts[keys[index] as number] = keys[index + 1] ?? 0;
  };

  /** Who was with somebody whom a newer run has found anew; who was alone, and is an open item if it is anywhere; what was no match. */
  const likelihoodGone = (key: number): number => {
    const match = matchOf(key);
    if (isOvertaken(match)) return 3;
    if (isOfOne(match)) return 2;
    return Number(isOpenIn(wordOf(key)));
  };

  /**
   * Each record that a run has found anew, and that is not one more, is one that an older run had found. First go those whose match is over, then
   * the newest, and of one run whoever is likeliest to have gone, of pairs that say the same the last, as their exceptions do. What was an open
   * item is none that a match holds.
   */
  const goneFor = (found: readonly number[], current: readonly number[]): Set<number> => {
    const marked = (mark: Mark): number => found.filter((key) => markIn(wordOf(key)) === mark).length;
    const [items, others] = [marked(marks.openItem), marked(marks.none)];
    if (items + others === 0) return new Set();
    const inOrder = current.toSorted(
      (one, other) =>
        Number(isOvertaken(matchOf(other))) - Number(isOvertaken(matchOf(one))) ||
        (executionOf(one) === executionOf(other)
          ? likelihoodGone(other) - likelihoodGone(one) || positionOf(other) - positionOf(one)
          : (pieceOf[one] as number) - (pieceOf[other] as number)),
    );
    const gone = new Set(inOrder.filter((key) => isOpenIn(wordOf(key))).slice(0, items));
    for (const key of inOrder.filter((key) => !gone.has(key)).slice(0, others)) gone.add(key);
    return gone;
  };

  /** Where several say the same. */
  const shared: number[] = [];
  for (const [place, first] of places.entries())
    if (nexts[first] !== 0 && isNameless(keysOf(first), atOf[first] as number)) shared.push(place);

  const leaveCurrent: KnownKeys['leaveCurrent'] = (which) => {
    for (const place of shared) {
      const keys = chained(place);
      let current: readonly number[] = [];
      for (let from = 0, end = 0; from < keys.length; from = end) {
        while (end < keys.length && executionOf(keys[end] as number) === executionOf(keys[from] as number)) end += 1;
        const found = keys.slice(from, end);
        const gone = goneFor(found, current);
        if (which === 'likely' || gone.size === current.length) for (const key of gone) overtaken(matchOf(key));
        current = [...current.filter((key) => !gone.has(key)), ...found];
      }
      if (which === 'likely') chain(place, current);
    }
  };

  /** Of records without ids that say the same, whoever is least likely to have gone before the others; without those that open items are. */
  const putInOrder = (place: number): void => {
    isInOrder[place] = 1;
    const items = openAt.get(place) ?? 0;
    if (nexts[places[place] as number] === 0 && items === 0) return;
    // The pieces of the newest run come first, and of each run its last.
    const inPlace = (one: number, other: number): number =>
      (pieceOf[one] as number) - (pieceOf[other] as number) || positionOf(other) - positionOf(one);
    const keys = chained(place).sort((one, other) => likelihoodGone(one) - likelihoodGone(other) || inPlace(one, other));
    const open = keys.filter((key) => isOpenIn(wordOf(key)));
    const ofItems = new Set(open.slice(Math.max(0, open.length - items)));
    const left = keys.filter((key) => !ofItems.has(key));
    // One stays where it is: others have been put behind it.
    if (left.length === 0) isTaken[keys[0] as number] = 1;
    chain(place, left.length === 0 ? keys.slice(0, 1) : left);
  };

  const leaveOpen = (words: Keys): void => {
    const place = placeOf(words, 0);
    if (places[place] !== 0) openAt.set(place, (openAt.get(place) ?? 0) + 1);
  };

  const take: TakeKey = (words) => {
    const found = placeOf(words, 0);
    if (places[found] !== 0 && isInOrder[found] === 0 && isNameless(words, 0)) putInOrder(found);
    const key = places[found] as number;
    if (key === 0 || isTaken[key] === 1) return undefined;
    // The last one stays where it is: others have been put behind it.
    isTaken[key] = 1;
    if (nexts[key] !== 0) places[found] = nexts[key] as number;
    const { executionId, runAt, first, keys } = pieces[pieceOf[key] as number] as (typeof pieces)[number];
    const at = atOf[key] as number;
    const word = wordOf(key);
    return {
      match: matchOf(key),
      ...{ executionId, runAt, position: first + placeIn(word) },
      nameless: isNameless(words, 0) ? found : undefined,
      isOpen: isOpenIn(word),
      holds: !isOpenIn(word) && areEqual(keys, at + contentAt, words, contentAt, matchAt - contentAt),
    };
  };

  return { take, leaveCurrent, leaveOpen };
};

const areEqual = (keys: Keys, at: number, others: Keys, othersAt: number, words: number): boolean => {
  for (let word = 0; word < words; word += 1) if (keys[at + word] !== others[othersAt + word]) return false;
  return true;
};
