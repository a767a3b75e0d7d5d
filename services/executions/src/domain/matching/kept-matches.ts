/**
 * Records that an earlier run has matched and that are delivered again as they were, without those that they were matched with: they keep
 * that match, and meet nobody else, or what was paid once would be paid twice. Where all of a match are delivered again they take part like
 * any records, and the rules decide anew; and so they do where one of them says something else now, is open since, or was found otherwise by
 * a newer run. Of a result that is broken so, or that was no match, the records that are not here are asked for.
 */
import { type Side, sides } from '../side.ts';
import { type RecordBatch, usable, wasKnown } from './batch.ts';
import { isPresent, textAt } from './columns/text-column.ts';
import { type EarlierMatches, type Numbered, numbered } from './earlier-matches.ts';
import { createKnownKeys, type Found, type KnownKeys } from './known-keys.ts';
import { createWriteKey, type Mark, type MarkOf, marks, wordsPerKey } from './match-keys.ts';

export interface Kept {
  readonly row: number;
  /** The run that has its match. */
  readonly executionId: string;
}

export type KeptMatches = Readonly<Record<Side, readonly Kept[]>>;

/**
 * A result of which a record is here and not all others are: one of a match that has come in another version, or any of what was no match.
 * `recordId`: null where it has none. Then those are told besides that are here as a whole and have a record that says the same: which of
 * the records of all of them are not here is known by how many there are.
 */
export interface BrokenMatch {
  readonly executionId: string;
  readonly position: number;
  readonly side: Side;
  readonly recordId: string | null;
}

/**
 * Rows that take part whatever a run of that time has matched: somebody has taken them apart in it, or in a newer one. What differs nobody has
 * taken apart: where a match by hand that had taken one of it is undone, it is there again.
 */
export type IsFree = (side: Side, row: number, runAt: number) => boolean;

/** Of whatever run: a time before all of them. */
const ever = 0;

export interface KnownBefore {
  readonly kept: KeptMatches;
  readonly broken: readonly BrokenMatch[];
  readonly markOf: MarkOf;
}

/** `earlier`: those of the newest run first. */
export const findKept = (earlier: readonly EarlierMatches[], batches: Readonly<Record<Side, RecordBatch>>, isFree: IsFree): KnownBefore => {
  if (earlier.length === 0) return { kept: { source: [], target: [] }, broken: [], markOf: () => marks.none };
  const matches = numbered(earlier);
  const known = sides.map((side) =>
    createKnownKeys(
      earlier.map(({ [side]: keys, ...piece }) => ({ ...piece, keys })),
      matches,
    ),
  );
  // Before any is taken: who was found anew tells of whom else the match is over, on the other side too.
  for (const which of ['certain', 'likely'] as const) for (const { leaveCurrent } of known) leaveCurrent(which);
  const found = sides.map((side, index) => ({
    side,
    ...recognized(side, batches[side], known[index] as KnownKeys, matches, isFree),
  }));
  // Not before both sides have said what has come of each match.
  const [source = [], target = []] = found.map(({ same }) =>
    same.filter(({ match }) => matches.isHeld(match)).map(({ row, executionId }) => ({ row, executionId })),
  );
  const broken = new Map<number, BrokenMatch>();
  for (const { side, changed } of found) {
    const lacking = new Set(changed.flatMap(({ match, nameless }) => (matches.isLacking(match) ? [nameless] : [])));
    for (const { row, match, executionId, position, nameless } of changed) {
      const isBeside = nameless !== undefined && lacking.has(nameless) && !matches.isOvertaken(match);
      if (matches.isLacking(match) || isBeside) broken.set(match, { executionId, position, side, recordId: idAt(batches[side], row) });
    }
  }
  const [sourceMarks, targetMarks] = found.map(({ marked }) => marked);
  return {
    kept: { source, target },
    broken: [...broken.values()],
    markOf: (side, row) => ((side === 'source' ? sourceMarks : targetMarks)?.[row] ?? marks.none) as Mark,
  };
};

const idAt = ({ texts }: RecordBatch, row: number): string | null => {
  const ids = texts.get('id');
  return ids !== undefined && isPresent(ids, row) ? textAt(ids, row) : null;
};

type Recognized = Kept & Pick<Found, 'match' | 'position' | 'nameless'>;

/** Rows that are a known record and no open item: those that say what they said when they were matched, and those that do not. */
const recognized = (
  side: Side,
  batch: RecordBatch,
  { take: takeKey, leaveOpen }: KnownKeys,
  matches: Numbered,
  isFree: IsFree,
): { readonly same: readonly Recognized[]; readonly changed: readonly Recognized[]; readonly marked: Uint8Array } => {
  const writeKey = createWriteKey(side, batch);
  const words = new Uint32Array(wordsPerKey);
  const [same, changed]: [Recognized[], Recognized[]] = [[], []];
  const marked = new Uint8Array(batch.idMapped ? 0 : batch.length);
  const isNamelessItem = (row: number): boolean => !batch.idMapped && wasKnown(batch, row);
  for (let row = 0; row < marked.length && row < batch.givenFrom; row += 1) {
    // Where somebody has taken it apart it is one that was matched.
    if (batch.states[row] !== usable || !isNamelessItem(row) || isFree(side, row, ever)) continue;
    writeKey(row, words, 0);
    leaveOpen(words);
    marked[row] = marks.openItem;
  }
  for (let row = 0; row < batch.givenFrom; row += 1) {
    if (batch.states[row] !== usable || isNamelessItem(row)) continue;
    const isOpenItem = wasKnown(batch, row);
    writeKey(row, words, 0);
    const key = takeKey(words);
    if (key === undefined) {
      if (!batch.idMapped) marked[row] = marks.another;
      continue;
    }
    const { match, executionId, runAt, position, nameless, isOpen, holds } = key;
    matches.delivered(match);
    const takesPart = isOpenItem || (!isOpen && isFree(side, row, runAt));
    if (takesPart || !holds) matches.broken(match);
    if (!takesPart) (holds ? same : changed).push({ row, match, executionId, position, nameless });
  }
  return { same, changed, marked };
};
