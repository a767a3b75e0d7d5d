/** What earlier runs have found, and what of each of their results is here again. */
import { isOpenIn, type Keys, type MatchKeys, matchAt, placeIn, wordsPerKey } from './match-keys.ts';

/** What runs have found, a piece of results each; `first`: the position of its first result. */
export interface EarlierMatches extends MatchKeys {
  readonly executionId: string;
  /** When the run was made, in milliseconds. */
  readonly runAt: number;
  readonly first: number;
}

/** All results of all pieces, each under one number, and what is here of them. */
export const numbered = (earlier: readonly EarlierMatches[]) => {
  const firsts: number[] = [];
  let count = 0;
  for (const { source, target } of earlier) {
    firsts.push(count);
    const last = (keys: Keys): number => (keys.length === 0 ? -1 : placeIn(keys.at(matchAt - wordsPerKey) as number));
    count += Math.max(last(source), last(target)) + 1;
  }
  const absent = new Int32Array(count);
  const isOfSeveral = new Uint8Array(count);
  const isBroken = new Uint8Array(count);
  const isOvertaken = new Uint8Array(count);
  for (const [piece, { source, target }] of earlier.entries()) {
    for (const keys of [source, target]) {
      for (let at = matchAt; at < keys.length; at += wordsPerKey) {
        const match = (firsts[piece] as number) + placeIn(keys[at] as number);
        if (absent[match] !== 0) isOfSeveral[match] = 1;
        absent[match] = (absent[match] as number) + 1;
        if (isOpenIn(keys[at] as number)) isBroken[match] = 1;
      }
    }
  }
  return {
    firsts,
    isOfOne: (match: number): boolean => isOfSeveral[match] === 0,
    delivered: (match: number): void => {
      absent[match] = (absent[match] as number) - 1;
    },
    broken: (match: number): void => {
      isBroken[match] = 1;
    },
    /** One of its records is in a result of a newer run. */
    overtaken: (match: number): void => {
      isOvertaken[match] = 1;
    },
    isOvertaken: (match: number): boolean => isOvertaken[match] === 1,
    /** Whether it goes on: nobody says anything else, or was found otherwise since, and somebody is missing. */
    isHeld: (match: number): boolean => isBroken[match] === 0 && isOvertaken[match] === 0 && (absent[match] as number) > 0,
    /** Whether somebody is missing of whom no newer run has found anything. */
    isLacking: (match: number): boolean => isOvertaken[match] === 0 && (absent[match] as number) > 0,
  };
};
export type Numbered = ReturnType<typeof numbered>;
