import type { InputNotice, ReadContext } from '@settler/adapters/reader';
import { openReader } from '@settler/adapters/readers';
import type { Rules } from '@settler/contracts/rules';
import {
  type BaseResult,
  type GivenMatchIds,
  type HandMatch,
  type MatchingInput,
  MatchingRefused,
  type Separation,
  type Sighting,
  type StoredRun,
} from '../../application/ports.ts';
import type { Comparison, ControlTotals, Problem } from '../../domain/execution.ts';
import { differenceOf } from '../../domain/hand-match.ts';
import type { MatchedRecord, MatchedResult, NextBest } from '../../domain/matched-result.ts';
import { type ApartRows, findApart, freeBy } from '../../domain/matching/apart.ts';
import { type RecordBatch, recordAt } from '../../domain/matching/batch.ts';
import { type BatchBuilder, createBatchBuilder, type Row, rowsPerChunk } from '../../domain/matching/batch-builder.ts';
import { contradicted } from '../../domain/matching/contradicted.ts';
import { dayOf } from '../../domain/matching/day.ts';
import type { EarlierMatches } from '../../domain/matching/earlier-matches.ts';
import { isFinding } from '../../domain/matching/findings.ts';
import { findGiven, type GivenFate, type GivenMatches } from '../../domain/matching/given-matches.ts';
import { inputProblems } from '../../domain/matching/input-problems.ts';
import { keptAgain } from '../../domain/matching/kept-again.ts';
import { findKept, type Kept, type KeptMatches } from '../../domain/matching/kept-matches.ts';
import { createKeyWriter } from '../../domain/matching/match-keys.ts';
import { type Reconciliation, reconcile } from '../../domain/matching/reconcile.ts';
import { createRecordBytes, type RecordBytes } from '../../domain/matching/record-bytes.ts';
import { createRepeats } from '../../domain/matching/results/repeats.ts';
import type { MatchResult, RunnerUp } from '../../domain/matching/results/result.ts';
import { createOpenItems, isLeftOpen } from '../../domain/open-items.ts';
import { sumsOf } from '../../domain/pass-sums.ts';
import { createPeriod, undatedProblems, whyNoPeriod } from '../../domain/period.ts';
import { type Compared, createDiff } from '../../domain/run-diff.ts';
import { type Side, sides } from '../../domain/side.ts';
import { createTally } from '../../domain/tally.ts';
import { hashOf } from '../postgres/open-items/record-key.ts';
import { digestedMax } from '../postgres/results/result-digest.ts';
import { rowsOf } from '../postgres/results/result-rows.ts';
import { searchedNames } from '../postgres/results/search-text.ts';
import { requireMemory } from './memory.ts';
import type { Notice, Reply, Request } from './protocol.ts';
import { RecordOfRow } from './record-of-row.ts';

/** A transaction each: more at once would hold more memory, fewer would wait for the disk more often. */
const resultsPerPiece = 8_000;
/** The first, which the database waits for, and the last, for which nothing more is made, are smaller. */
const resultsLeast = 1_000;

/** So many are looked for together: one by one, each would wait for its records to come from memory. */
const resultsTogether = 64;

/** So many ids are told. */
const idsMax = 100;

interface Batches {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
}

interface Matched {
  readonly batches: Batches;
  readonly reconciliation: Reconciliation;
  readonly given: GivenMatches;
  readonly waiting: Readonly<Record<Side, ReadonlySet<number>>>;
  readonly held: readonly HandMatch[];
  readonly apart: readonly ApartRows[];
  readonly kept: KeptMatches;
  readonly keys: ReturnType<typeof createKeyWriter>;
  readonly repeats: ReturnType<typeof createRepeats>;
}

export interface RunNeeds {
  readonly notify: (notice: Extract<Notice, { kind: 'progress' }>) => void;
  readonly context: ReadContext;
}

type RunRequest = Exclude<Request, { readonly kind: 'forget' }>;

/** Answers what is asked of this run, one request at a time. @throws ReaderFailure, MatchingRefused and the refusals of the engine */
export const createRun = ({ notify, context }: RunNeeds): ((request: RunRequest) => Promise<Reply>) => {
  const diff = createDiff();
  const tallies = { source: createTally('source'), target: createTally('target') };
  const builders: { source?: BatchBuilder; target?: BatchBuilder } = {};
  const openItems = { source: createOpenItems('source', hashOf), target: createOpenItems('target', hashOf) };
  /** Each with the places of its records among those that the sides were given. */
  const handMatches: (HandMatch & Readonly<Record<Side, readonly number[]>>)[] = [];
  const separations: Separation[] = [];
  const earlier: EarlierMatches[] = [];
  /** Of records that were stored, and not read. */
  const keptThen = { source: [] as Kept[], target: [] as Kept[] };
  let storedAt: number | undefined;
  /** Of the inputs, while they were read. */
  const noticed: Problem[] = [];
  const watched = new Set<string>();
  let matched: Matched | undefined;
  /** Until another record comes. */
  let prepared: ReturnType<typeof prepare> | undefined;
  /** Found once rows are written. Nobody else needs them, and to look for them takes all that was read. */
  let bytes: Readonly<Record<Side, RecordBytes | undefined>> | undefined;
  let position = 0;
  /** Of the rows of the last piece. */
  let bytesPerResult = 0;

  const read = async (side: Side, { adapter, config, period }: MatchingInput): Promise<ControlTotals[]> => {
    const reader = await openReader(adapter, config);
    const builder = createBatchBuilder({ idMapped: reader.idMapped });
    builders[side] = builder;
    const tell = (notice: InputNotice): void => {
      noticed.push({ side, ...notice });
    };
    const tally = createTally(side);
    const within = createPeriod(period, reader.idMapped ? openItems[side].ids() : undefined);
    if (reader.readColumns !== undefined) {
      for await (const chunk of reader.readColumns({ ...context, limits: { rowsPerChunk, ...context.limits }, tell })) {
        const kept = within.chunk(chunk);
        tally.addChunk(kept);
        builder.addChunk(kept);
        requireMemory();
        notify({ kind: 'progress', done: builder.length(), total: null });
      }
    } else {
      for await (const { rows } of reader.read({ ...context, tell })) {
        const kept = rows.filter((row) => !('record' in row) || within.record(row));
        for (const row of kept) tally.add(row);
        builder.addRows(kept);
        requireMemory();
        notify({ kind: 'progress', done: builder.length(), total: null });
      }
    }
    const refused = whyNoPeriod(side, within.counted());
    if (refused !== undefined) throw new MatchingRefused('no_dates', refused, side);
    noticed.push(...undatedProblems(side, within.counted()));
    return tally.totals();
  };

  /** Records that were read once, as they are stored. */
  const feed = (results: readonly BaseResult[], { hasIds, runAt, keeps }: StoredRun): ControlTotals[] => {
    storedAt = runAt;
    for (const side of sides) {
      const builder = builders[side] ?? createBatchBuilder({ idMapped: hasIds[side] });
      builders[side] = builder;
      const first = builder.length();
      const rows: Row[] = [];
      for (const { [side]: records, keptIn } of results) {
        for (const record of records) {
          if (keeps && keptIn !== undefined) keptThen[side].push({ row: first + rows.length, executionId: keptIn });
          rows.push({ record });
        }
      }
      for (const row of rows) tallies[side].add(row);
      builder.addRows(rows);
    }
    requireMemory();
    return [...tallies.source.totals(), ...tallies.target.totals()];
  };

  const built = (side: Side): RecordBatch => {
    const builder = builders[side];
    if (builder === undefined) throw new Error(`the ${side} was not read`);
    return builder.build(openItems[side].all(), openItems[side].given());
  };

  /** What takes part, and what is known of it before any rule is asked. */
  const prepare = () => {
    const batches = { source: built('source'), target: built('target') };
    const given = findGiven(handMatches, batches);
    const apart = findApart(separations, batches);
    const isFree = freeBy(
      apart,
      separations.map(({ runAt }) => runAt),
    );
    const known = findKept(earlier, batches, isFree);
    const kept = storedAt === undefined ? known.kept : keptAgain(keptThen, batches, { isFree, runAt: storedAt });
    return { batches, given, apart, ...known, kept };
  };

  const isWaiting = (side: Side, row: number): boolean => matched?.waiting[side].has(row) === true;

  const recordsOf = (side: Side, batch: RecordBatch, { outcome, given, [side]: rows }: MatchResult): MatchedRecord[] =>
    rows.map((row) => {
      const record = new RecordOfRow(batch, row, bytes?.[side]);
      // A match by hand holds on to what it has taken, also while it waits for some of it.
      if (given === undefined && !isWaiting(side, row))
        record.openItem =
          openItems[side].keyOf(batch, row) ?? (isLeftOpen(outcome) ? openItems[side].newKey(batch, record.record) : undefined);
      return record;
    });

  /** Only of what needs somebody. One that stands alone has the number of its open item, or the next that none of them has. */
  const occurrenceOf = (found: MatchResult, { batches, repeats }: Matched, alone: MatchedRecord | undefined): number | undefined => {
    if (found.outcome === 'matched') return undefined;
    if (alone === undefined || found.outcome === 'invalid') return repeats(found);
    const side = found.source.length === 0 ? 'target' : 'source';
    if (alone.openItem !== undefined || batches[side].idMapped) return alone.openItem?.occurrence;
    const [row = -1] = found[side];
    // Where it waits for others of a match by hand, it has the number that it has there.
    return (openItems[side].keyOf(batches[side], row) ?? openItems[side].newKey(batches[side], alone.record)).occurrence;
  };

  // Property by property: to take most of those of another object takes ten times as long.
  const whole = (found: MatchResult, matched: Matched): MatchedResult => {
    const { batches, held } = matched;
    const { outcome, pass, cardinality, score, margin, category, reason, line, dueOn, conditions, given, runnerUp } = found;
    const source = recordsOf('source', batches.source, found);
    const target = recordsOf('target', batches.target, found);
    const manual = given === undefined ? undefined : held[given]?.manual;
    const delta = manual === undefined ? found.delta : differenceOf({ source: source.map(recordOf), target: target.map(recordOf) });
    const occurrence = occurrenceOf(found, matched, source.length + target.length === 1 ? (source[0] ?? target[0]) : undefined);
    return {
      outcome,
      pass,
      cardinality,
      score,
      margin,
      delta,
      category,
      reason,
      line,
      dueOn,
      conditions,
      runnerUp: runnerUp === undefined ? undefined : nextBest(batches, found, runnerUp),
      manual,
      occurrence,
      source,
      target,
    };
  };

  const give = (match: HandMatch): void => {
    const places = { source: [] as number[], target: [] as number[] };
    for (const record of match.records) {
      places[record.side].push(openItems[record.side].given().length);
      openItems[record.side].give(record);
    }
    handMatches.push({ ...match, ...places });
  };

  /** `keys`: takes note of what the rules have matched. */
  const resultsFrom = function* (first: number, end: number, keys?: ReturnType<typeof createKeyWriter>): Generator<MatchedResult> {
    if (matched === undefined) return;
    const { reconciliation } = matched;
    for (let from = first; from < end; from += resultsTogether) {
      const found = Array.from({ length: Math.min(resultsTogether, end - from) }, (_, index) => reconciliation.at(from + index));
      for (const side of sides) bytes?.[side]?.fetch(found.flatMap((result) => result[side]));
      for (const [index, result] of found.entries()) {
        if (keys !== undefined && isFinding(result, matched)) keys.add(result, from + index - first, result.outcome !== 'matched');
        yield whole(result, matched);
      }
    }
  };

  const watchedResults = function* (results: Iterable<MatchedResult>, first: number, sightings: Sighting[]): Generator<MatchedResult> {
    let place = first;
    for (const result of results) {
      for (const { record } of [...result.source, ...result.target]) {
        // The same name, in whichever way its source writes it.
        const id = typeof record['id'] === 'number' ? String(record['id']) : record['id'];
        if (typeof id === 'string' && watched.has(id)) sightings.push({ id, position: place });
      }
      place += 1;
      yield result;
    }
  };

  const comparedResults = function* (): Generator<Compared> {
    for (const { outcome, source, target } of resultsFrom(0, matched?.reconciliation.length ?? 0)) {
      if (outcome === 'invalid') continue;
      yield { isMatched: outcome === 'matched', source: source.map(({ record }) => record), target: target.map(({ record }) => record) };
    }
  };

  const handMatchesOf = (rules: Rules, asOf: string): Comparison['handMatches'] => {
    if (matched === undefined) return { held: 0, contradicted: [], changed: [] };
    const { batches, given, held, kept, apart } = matched;
    const broken = contradicted({ ...batches, rules, asOf: dayOf(asOf) ?? 0, given: given.held, waiting: given.waiting, kept, apart });
    return {
      held: held.length,
      contradicted: held.flatMap(({ manual }, index) => (broken[index] === true ? [manual.matchId] : [])).slice(0, idsMax),
      changed: givenIds(given.fates).changed.slice(0, idsMax),
    };
  };

  const answer = async (request: RunRequest): Promise<Reply> => {
    switch (request.kind) {
      case 'give':
        for (const match of request.matches) give(match);
        return { kind: 'given' };
      case 'feed':
        return { kind: 'fed', controlTotals: feed(request.results, request.run) };
      case 'remember':
        diff.add(request.results.map((result) => ({ ...result, isMatched: result.outcome === 'matched' })));
        requireMemory();
        return { kind: 'remembered' };
      case 'compare':
        return { kind: 'compared', diff: diff.against(comparedResults()), handMatches: handMatchesOf(request.rules, request.asOf) };
      case 'separate':
        separations.push(...request.separations);
        requireMemory();
        return { kind: 'separated' };
      case 'know':
        earlier.push(...request.matches);
        requireMemory();
        return { kind: 'known' };
      case 'carry':
        for (const item of request.items) openItems[item.side].add(item);
        return { kind: 'carried' };
      case 'watch':
        for (const id of request.recordIds) watched.add(id);
        return { kind: 'watched' };
      case 'read':
        return { kind: 'read', controlTotals: await read(request.side, request.input) };
      case 'broken':
        prepared = prepare();
        requireMemory();
        return { kind: 'broken', matches: prepared.broken };
      case 'bring':
        for (const { side, record } of request.records) openItems[side].bring(record);
        prepared = undefined;
        return { kind: 'brought' };
      case 'match': {
        const { batches, given, apart, kept, markOf } = prepared ?? prepare();
        const { held, waiting, fates } = given;
        // Millions of keys that nobody needs any more.
        earlier.length = 0;
        const reconciliation = reconcile({
          ...batches,
          given: held,
          waiting,
          kept,
          apart,
          rules: request.rules,
          asOf: dayOf(request.asOf) ?? 0,
          onProgress: (done, total) => {
            requireMemory();
            notify({ kind: 'progress', done, total });
          },
        });
        matched = {
          batches,
          reconciliation,
          given,
          waiting: { source: new Set(waiting.source), target: new Set(waiting.target) },
          held: held.map(({ match }) => handMatches[match] as HandMatch),
          apart,
          kept,
          keys: createKeyWriter(batches, markOf),
          repeats: createRepeats(batches.source, batches.target),
        };
        const problems = [...noticed, ...inputProblems(request.rules, batches)];
        return { kind: 'matched', summary: reconciliation.summary, resultCount: reconciliation.length, problems, given: givenIds(fates) };
      }
      case 'next': {
        if (matched !== undefined) bytes ??= bytesOf(matched.batches);
        const first = position;
        position += pieceOf(first, (matched?.reconciliation.length ?? 0) - first);
        const sightings: Sighting[] = [];
        const keys = request.run.carriesForward ? matched?.keys : undefined;
        const found = resultsFrom(first, position, keys);
        const results = watched.size === 0 ? found : watchedResults(found, first, sightings);
        const expectedBytes = (position - first) * bytesPerResult;
        const rows = rowsOf(request.run, results, first, { written: request.written, expectedBytes });
        if (rows.count > 0) bytesPerResult = rows.results.length / rows.count;
        return { kind: 'results', piece: { ...rows, sightings, keys: keys?.take() } };
      }
      case 'sums':
        return { kind: 'sums', sums: sumsOf(resultsFrom(0, matched?.reconciliation.length ?? 0)) };
    }
  };

  const givenIds = (fates: readonly GivenFate[]): GivenMatchIds => ({
    known: handMatches.map(({ manual }) => manual.matchId),
    apart: separations.map(({ id }) => id),
    changed: handMatches.flatMap(({ manual }, index) => (fates[index] === 'changed' ? [manual.matchId] : [])),
  });

  return answer;
};

/** How many results come next, where so many were given and so many are left: whole digests, except at the end. */
const pieceOf = (given: number, left: number): number => {
  const most = Math.min(resultsPerPiece, Math.max(resultsLeast, given));
  return Math.min(left, most, Math.max(resultsLeast, Math.ceil(left / 2 / digestedMax) * digestedMax));
};

const recordOf = ({ record }: MatchedRecord) => record;

/** Of the two that would have been a pair, the one that is not in the match. */
const nextBest = (batches: Batches, { source }: MatchResult, { source: ours, target: theirs, score }: RunnerUp): NextBest => {
  const side = source.includes(ours) ? 'target' : 'source';
  return { side, record: recordAt(batches[side], side === 'source' ? ours : theirs), score };
};

const bytesOf = ({ source, target }: Batches): Readonly<Record<Side, RecordBytes | undefined>> => ({
  source: createRecordBytes(source, searchedNames),
  target: createRecordBytes(target, searchedNames),
});
