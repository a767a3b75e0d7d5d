import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Fields, usable, wasKnown } from '../../../src/domain/matching/batch.ts';
import type { EarlierMatches } from '../../../src/domain/matching/earlier-matches.ts';
import { findKept, type KeptMatches } from '../../../src/domain/matching/kept-matches.ts';
import { createKeyWriter, createWriteKey, marks, matchAt, wordsPerKey } from '../../../src/domain/matching/match-keys.ts';
import { type Side, sides } from '../../../src/domain/side.ts';
import { batchOf, euro } from './records.ts';

type Matches = readonly Readonly<Record<'source' | 'target', readonly Fields[]>>[];

const free = () => false;
const keptIn = (...given: Parameters<typeof findKept>) => findKept(...given).kept;
const batchesOf = (source: readonly Fields[], target: readonly Fields[], idMapped = true) => ({
  source: batchOf(source, idMapped),
  target: batchOf(target, idMapped),
});

/** What a run that has matched these would have written. */
const writtenBy = (executionId: string, matches: Matches, idMapped = true, first = 0): EarlierMatches => {
  const [source, target] = (['source', 'target'] as const).map((side) => matches.flatMap((match) => match[side])) as [Fields[], Fields[]];
  const writer = createKeyWriter(batchesOf(source, target, idMapped), () => marks.none);
  const next = { source: 0, target: 0 };
  const rowsOf = (side: 'source' | 'target', records: readonly Fields[]) => records.map(() => next[side]++);
  for (const [place, match] of matches.entries())
    writer.add({ source: rowsOf('source', match.source), target: rowsOf('target', match.target) }, place);
  return { executionId, runAt: Number(executionId.replace('exe_', '')), first, ...writer.take() };
};

describe('records that were matched before', () => {
  const pair = (one: string, other: string) => ({ source: [euro(one, '1.00')], target: [euro(other, '1.00')] });

  it('are kept where not all of their match are there', () => {
    const earlier = [writtenBy('exe_2', [pair('s1', 't1'), pair('s2', 't2')]), writtenBy('exe_1', [pair('s3', 't3')])];
    const batches = batchesOf([euro('s1', '1.00'), euro('s2', '1.00')], [euro('t2', '1.00'), euro('t3', '1.00')]);
    expect(keptIn(earlier, batches, free)).toEqual({
      source: [{ row: 0, executionId: 'exe_2' }],
      target: [{ row: 1, executionId: 'exe_1' }],
    });
  });

  it('are free where one of their match says something else, or is open since', () => {
    const earlier = [
      writtenBy('exe_1', [pair('s1', 't1'), { source: [euro('s2', '1.00'), euro('s3', '1.00')], target: [euro('t2', '2.00')] }]),
    ];
    const batches = (source: readonly Fields[], carried: readonly Fields[] = []) => ({
      source: batchOf(
        source,
        true,
        carried.map((record) => ({ record, occurrence: 1 })),
      ),
      target: batchOf([euro('t1', '1.00'), euro('t2', '2.00')]),
    });
    const keptOf = (found: KeptMatches) => found.target.map(({ row }) => row);
    expect(keptOf(keptIn(earlier, batches([]), free))).toEqual([0, 1]);
    expect(keptOf(keptIn(earlier, batches([euro('s1', '1.01')]), free))).toEqual([1]);
    expect(keptIn(earlier, batches([euro('s1', '1.00'), euro('s3', '9.00'), euro('s2', '1.00')]), free)).toEqual({
      source: [],
      target: [],
    });
    expect(keptOf(keptIn(earlier, batches([], [euro('s1', '1.00')]), free))).toEqual([1]);
    expect(keptOf(keptIn(earlier, batches([euro('s1', '1.00')], [euro('s1', '1.00')]), free))).toEqual([1]);
  });

  it('are asked for where another of their match is a new version, and they are nowhere else', () => {
    const group = { source: [euro('s3', '1.00'), euro('s4', '1.00')], target: [euro('t3', '2.00')] };
    const older = writtenBy('exe_1', [pair('s1', 't1'), pair('s2', 't2'), group], true, 8_000);
    const brokenIn = (earlier: readonly EarlierMatches[], source: readonly Fields[], target: readonly Fields[], isFree = free) =>
      findKept(earlier, batchesOf(source, target), isFree).broken;
    const newS1 = euro('s1', '1.01');
    const lacking = { executionId: 'exe_1', position: 8_000, side: 'source', recordId: 's1' };
    expect(brokenIn([older], [newS1, euro('s2', '1.00')], [])).toEqual([lacking]);
    expect(brokenIn([older], [newS1], [euro('t1', '1.00')])).toEqual([]);
    expect(brokenIn([older], [newS1], [], () => true)).toEqual([]);
    // Two new versions, of one match.
    expect(brokenIn([older], [euro('s3', '9.00')], [euro('t3', '9.00')])).toMatchObject([{ position: 8_002 }]);
    // Its counterpart has met somebody else since, or it has itself.
    expect(brokenIn([writtenBy('exe_2', [pair('s9', 't1')]), older], [newS1], [])).toEqual([]);
    expect(brokenIn([writtenBy('exe_2', [pair('s1', 't9')], true, 40), older], [newS1], [])).toMatchObject([
      { executionId: 'exe_2', position: 40 },
    ]);
    const open = { source: batchOf([newS1], true, [{ record: euro('s1', '1.00'), occurrence: 1 }]), target: batchOf([]) };
    expect(findKept([older], open, free).broken).toEqual([]);
  });

  it('are in the match of the newest run, whatever others have said', () => {
    const earlier = [writtenBy('exe_2', [pair('s1', 't2')]), writtenBy('exe_1', [pair('s1', 't1')])];
    expect(keptIn(earlier, batchesOf([euro('s1', '1.00')], [euro('t2', '1.00')]), free)).toEqual({ source: [], target: [] });
    // Its match of then is over, for all that were in it.
    expect(keptIn(earlier, batchesOf([euro('s1', '1.00')], [euro('t1', '1.00')]), free)).toEqual({
      source: [{ row: 0, executionId: 'exe_2' }],
      target: [],
    });
    expect(keptIn(earlier, batchesOf([], [euro('t1', '1.00')]), free).target).toEqual([]);
  });

  it('are free where somebody has taken them apart since, and where nothing is known', () => {
    const batches = batchesOf([euro('s1', '1.00')], []);
    const [older, newer] = [writtenBy('exe_1', [pair('s1', 't1')]), writtenBy('exe_2', [pair('s1', 't2')])];
    const apartInFirst = (_side: unknown, _row: unknown, runAt: number) => runAt <= 1;
    expect(keptIn([older], batches, apartInFirst).source).toEqual([]);
    expect(keptIn([newer, older], batches, apartInFirst).source).toMatchObject([{ executionId: 'exe_2' }]);
    expect(keptIn([], batches, free).source).toEqual([]);
  });

  it('are no match any more where a newer run has found something else, which one of them brings back', () => {
    const records = [euro('s1', '1.01'), euro('s2', '1.00')];
    const writer = createKeyWriter(batchesOf(records, [euro('t1', '1.00')]), () => marks.none);
    writer.add({ source: [0], target: [0] }, 3, true);
    writer.add({ source: [1], target: [] }, 4, true);
    const earlier = [
      { executionId: 'exe_2', runAt: 2, first: 0, ...writer.take() },
      writtenBy('exe_1', [pair('s1', 't1'), pair('s2', 't2')]),
    ];
    const known = (source: readonly Fields[], target: readonly Fields[]) => findKept(earlier, batchesOf(source, target), free);
    const none = { source: [], target: [] };
    const differs = { executionId: 'exe_2', position: 3 };
    expect(known([], [euro('t1', '1.00')])).toMatchObject({ kept: none, broken: [{ ...differs, side: 'target', recordId: 't1' }] });
    expect(known([euro('s1', '1.00')], [])).toMatchObject({ kept: none, broken: [{ ...differs, side: 'source', recordId: 's1' }] });
    expect(known(records, [euro('t1', '1.00'), euro('t2', '1.00')])).toMatchObject({ kept: none, broken: [] });
  });

  it('without ids leave as many open as there are more on one side, in whatever parts they were delivered', () => {
    const { id: _, ...coffee } = euro('coffee', '3.50');
    type Counts = Readonly<Record<Side, number>>;
    const openAfter = (history: readonly Counts[], itemsFirst: boolean): Counts => {
      const earlier: EarlierMatches[] = [];
      let open: Counts = { source: 0, target: 0 };
      for (const delivered of history) {
        const times = (count: number) => Array.from({ length: count }, () => coffee);
        const sideOf = (side: Side) =>
          batchOf(
            times(delivered[side]),
            false,
            times(open[side]).map((record, index) => ({ record, occurrence: index + 1 })),
          );
        const batches = { source: sideOf('source'), target: sideOf('target') };
        const { kept, markOf } = findKept(earlier, batches, free);
        const isItem = (side: Side, row: number) => Number(wasKnown(batches[side], row));
        const rowsOf = (side: Side) =>
          [...batches[side].states.keys()]
            .filter((row) => batches[side].states[row] === usable && !kept[side].some((one) => one.row === row))
            .sort((one, other) => (isItem(side, one) - isItem(side, other)) * (itemsFirst ? -1 : 1));
        const rows = { source: rowsOf('source'), target: rowsOf('target') };
        const pairs = Math.min(rows.source.length, rows.target.length);
        const writer = createKeyWriter(batches, markOf);
        for (let place = 0; place < pairs; place += 1)
          writer.add({ source: rows.source.slice(place, place + 1), target: rows.target.slice(place, place + 1) }, place);
        for (const side of sides)
          for (const row of rows[side].slice(pairs))
            if (isItem(side, row) === 0) writer.add({ source: [], target: [], [side]: [row] }, pairs + row, true);
        open = { source: rows.source.length - pairs, target: rows.target.length - pairs };
        earlier.unshift({ executionId: `exe_${earlier.length}`, runAt: earlier.length + 1, first: 0, ...writer.take() });
      }
      return open;
    };
    const most = (history: readonly Counts[], side: Side) => Math.max(...history.map((counts) => counts[side]));
    const wrong: string[] = [];
    const look = (history: readonly Counts[]) => {
      const more = most(history, 'source') - most(history, 'target');
      for (const itemsFirst of [false, true]) {
        const open = openAfter(history, itemsFirst);
        if (open.source !== Math.max(0, more) || open.target !== Math.max(0, -more))
          wrong.push(JSON.stringify({ history, itemsFirst, open }));
      }
    };
    const counts = [0, 1, 2].flatMap((source) => [0, 1, 2].map((target) => ({ source, target })));
    // Each run may have none, one or two on either side.
    let histories: Counts[][] = [[]];
    for (let runs = 0; runs < 4; runs += 1) histories = histories.flatMap((history) => counts.map((next) => [...history, next]));
    for (const history of histories) look(history);
    look([2, 0, 0, 0, 3].map((source, run) => ({ source, target: [0, 1, 2, 2, 0][run] as number })));
    expect(wrong).toEqual([]);
  });

  it('without ids are as many as there were', () => {
    const { id: _, ...coffee } = euro('coffee', '3.50');
    const match = { source: [coffee], target: [coffee] };
    const earlier = [writtenBy('exe_1', [match, match], false)];
    expect(keptIn(earlier, batchesOf([coffee, coffee, coffee], [], false), free).source.map(({ row }) => row)).toEqual([0, 1]);
  });

  it('without ids are of those that say the same the ones whose others no newer run has found with somebody else', () => {
    const [{ id: _, ...coffee }, { id: __, ...tea }, { id: ___, ...cake }] = ['3.50', '2.50', '4.50'].map((amount) =>
      euro('x', amount),
    ) as [Fields, Fields, Fields];
    const differing = (executionId: string, source: readonly Fields[], target: readonly Fields[]): EarlierMatches => {
      const writer = createKeyWriter(batchesOf(source, target, false), () => marks.none);
      for (const place of source.keys()) writer.add({ source: [place], target: [place] }, place, true);
      return { executionId, runAt: 0, first: 0, ...writer.take() };
    };
    const earlier = [differing('exe_2', [cake], [tea]), differing('exe_1', [coffee, coffee], [tea, tea])];
    const brokenBy = (source: readonly Fields[], target: readonly Fields[]) =>
      findKept(earlier, batchesOf(source, target, false), free).broken.map(({ executionId, position }) => `${executionId} ${position}`);
    expect(brokenBy([coffee], [])).toEqual(['exe_1 0']);
    expect(brokenBy([coffee, coffee], [])).toEqual(['exe_1 0']);
    expect(brokenBy([], [tea])).toEqual(['exe_2 0']);
    expect(brokenBy([], [tea, tea])).toEqual(['exe_2 0', 'exe_1 0']);
  });

  it('are those that a search through all of them finds', () => {
    const records = (side: string) =>
      fc.uniqueArray(
        fc.integer({ min: 0, max: 60 }).map((number) => `${side}${number}`),
        { maxLength: 40 },
      );
    fc.assert(
      fc.property(records('s'), records('t'), records('s'), records('t'), fc.integer({ min: 1, max: 5 }), (ones, others, s, t, size) => {
        const count = Math.ceil(Math.min(ones.length, others.length) / size);
        const matches = Array.from({ length: count }, (_, index) => ({
          source: ones.slice(index * size, (index + 1) * size).map((id) => euro(id, '1.00')),
          target: others.slice(index, index + 1).map((id) => euro(id, '1.00')),
        }));
        const delivered = new Set([...s, ...t]);
        const expected = [...delivered].filter((id) => {
          const own = matches.map(({ source, target }) => [...source, ...target].map((record) => String(record['id'])));
          return own.find((ids) => ids.includes(id))?.some((other) => !delivered.has(other)) === true;
        });
        const kept = keptIn(
          [writtenBy('exe_1', matches)],
          batchesOf(
            s.map((id) => euro(id, '1.00')),
            t.map((id) => euro(id, '1.00')),
          ),
          free,
        );
        const found = [...kept.source.map(({ row }) => s[row]), ...kept.target.map(({ row }) => t[row])];
        expect(found.toSorted()).toEqual(expected.toSorted());
      }),
    );
  });

  it('are known by all that they say, on their side, in whatever order it comes', () => {
    const hashOf = (record: Fields, side: 'source' | 'target' = 'source') => {
      const words = new Uint32Array(wordsPerKey);
      createWriteKey(side, batchOf([record]))(0, words, 0);
      return words.join(' ');
    };
    const record = euro('s1', '10.00', { counterparty: 'Firm', note: { a: 1 } });
    const changes: Fields[] = [
      { ...record, id: 's2' },
      { ...record, amount: '10.01' },
      { ...record, amount: '-10.00' },
      { ...record, currency: 'USD' },
      { ...record, date: '2026-04-02' },
      { ...record, reference: 's1 ' },
      { ...record, counterparty: 'Firn' },
      { ...record, note: { a: 2 } },
      { ...record, counterparty: undefined, other: 'Firm' },
      { ...record, more: 'x' },
    ].map((changed) => Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined)));
    expect(hashOf(Object.fromEntries(Object.entries(record).toReversed()))).toBe(hashOf(record));
    expect(new Set([record, ...changes].map((changed) => hashOf(changed)).concat(hashOf(record, 'target'))).size).toBe(changes.length + 2);
  });

  it('have a hash of their own, each of a hundred thousand', () => {
    const count = 100_000;
    const batch = batchOf(Array.from({ length: count }, (_, index) => euro(`R-${index}`, `${index % 500}.00`)));
    const writeKey = createWriteKey('source', batch);
    const words = new Uint32Array(wordsPerKey);
    const lanes = Array.from({ length: matchAt }, () => new Set<number>());
    for (let row = 0; row < count; row += 1) {
      writeKey(row, words, 0);
      for (const [lane, seen] of lanes.entries()) seen.add(words[lane] as number);
    }
    // Of so many, chance makes 1.2 pairs meet in 32 bits; a hash that is none lets hundreds.
    for (const seen of lanes) expect(count - seen.size).toBeLessThan(20);
  });
});
