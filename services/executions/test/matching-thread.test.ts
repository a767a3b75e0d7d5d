import { rules as rulesSchema } from '@settler/contracts/rules';
import { afterEach, describe, expect, test } from 'vitest';
import { createMatchingThreads, type MatchingThreads } from '../src/infrastructure/matching/thread.ts';

const rules = rulesSchema.parse({ matching: [{ field: 'reference', type: 'exact' }] });
const config = {
  fileId: 'fil_01jqv8m0c4e7r9t2w5y8a1b3d6',
  fields: { id: 'id', amount: 'amount', currency: 'currency', reference: 'reference' },
};
const input = { adapter: 'csv', config, period: null };

const run = { organizationId: 'org_1', id: 'exe_1', epoch: 1, createdAt: new Date(0), carriesForward: false, severity: undefined };

/** A file of so many rows, made as it is read. */
const fileOf = (rows: number, text = '') => {
  const size = 'id,amount,currency,reference,text\n'.length + rows * (text.length + 40);
  const bytes = (async function* () {
    yield Buffer.from('id,amount,currency,reference,text\n');
    for (let from = 0; from < rows; from += 2_000) {
      const lines = Array.from(
        { length: Math.min(2_000, rows - from) },
        (_, index) => `${from + index},1.00,EUR,r${from + index},${text}\n`,
      );
      yield Buffer.from(lines.join(''));
    }
  })();
  return async () => ({ bytes, size });
};

describe('the matching thread', () => {
  let threads: MatchingThreads;
  const open = (memoryMb: number, signal = new AbortController().signal) => {
    threads = createMatchingThreads(memoryMb);
    return threads.open({ rules, asOf: '2026-05-01', signal });
  };
  afterEach(() => threads.close());

  test('matches what it was given, in a thread that was loaded before it was asked for as in a new one', async () => {
    threads = createMatchingThreads(256);
    for (const isPrepared of [true, false]) {
      if (isPrepared) threads.prepare();
      const matching = threads.open({ rules, asOf: '2026-05-01', signal: new AbortController().signal });
      await matching.read('source', input, fileOf(3), () => {});
      await matching.read('target', input, fileOf(2), () => {});
      const { summary, resultCount } = await matching.match(() => {});
      expect(summary).toMatchObject({ matched: 2, missingInTarget: 1 });
      let count = 0;
      let rows = '';
      for await (const piece of matching.results(run)) {
        count += piece.count;
        rows += Buffer.from(piece.results).toString();
      }
      expect([count, rows.match(/\n/g)?.length]).toEqual([resultCount, resultCount]);
      await matching.close();
    }
  });

  test('hands out every result once, in pieces that use each other’s memory', async () => {
    const matching = open(512);
    const rowCount = 60_000;
    await matching.read('source', input, fileOf(rowCount), () => {});
    await matching.read('target', input, fileOf(rowCount - 1), () => {});
    await matching.match(() => {});
    const ids: string[] = [];
    const counts: number[] = [];
    const memory: ArrayBufferLike[] = [];
    const rowsIn = (results: Uint8Array | undefined) =>
      Buffer.from(results ?? [])
        .toString()
        .trimEnd()
        .split('\n');
    let before: { readonly results: Uint8Array; readonly rows: readonly string[] } | undefined;
    for await (const { count, results, digests } of matching.results(run)) {
      const rows = rowsIn(results);
      expect(digests.reduce((sum, { first, last }) => sum + last - first + 1, 0)).toBe(rows.length);
      // Whoever writes takes a while, also with the one before.
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(rowsIn(results)).toEqual(rows);
      if (before !== undefined) expect(rowsIn(before.results)).toEqual(before.rows);
      before = { results, rows };
      ids.push(...rows.map((row) => /"id":\s?"(\d+)"/.exec(row)?.[1] ?? row));
      counts.push(count);
      memory.push(results.buffer);
    }
    expect(ids.toSorted((one, other) => Number(one) - Number(other))).toEqual(
      Array.from({ length: rowCount }, (_, index) => String(index)),
    );
    // The first and the last, while nobody else has anything to do, are small.
    expect([counts[0], counts.at(-1)]).toEqual([1_000, 1_000]);
    expect(Math.max(...counts)).toBe(8_000);
    // Those that were written are the thread's again: a mark in one is seen in each that shares its memory.
    const ofLarge = memory.filter((_, index) => counts[index] === 8_000).map((buffer) => new Uint8Array(buffer));
    for (const [index, bytes] of ofLarge.entries()) bytes[bytes.length - 1] = index;
    expect(ofLarge.length).toBeGreaterThan(3);
    expect(new Set(ofLarge.map((bytes) => bytes.at(-1))).size).toBeLessThanOrEqual(3);
    await matching.close();
  });

  test('says where it has seen the records that it was to look for, on either side and in every piece', async () => {
    const matching = open(512);
    const rowCount = 20_000;
    await matching.read('source', input, fileOf(rowCount), () => {});
    await matching.read('target', input, fileOf(rowCount - 1), () => {});
    await matching.match(() => {});
    await matching.watch(['2', '19999', '12345', 'nobody']);
    const seen: { id: string; position: number }[] = [];
    const rows: string[] = [];
    for await (const { results, sightings } of matching.results(run)) {
      rows.push(...Buffer.from(results).toString().trimEnd().split('\n'));
      seen.push(...sightings);
    }
    expect(seen.map(({ id }) => id).sort()).toEqual(['12345', '12345', '19999', '2', '2']);
    for (const { id, position } of seen) expect(rows[position]).toContain(`"id":"${id}"`);
    await matching.close();
  });

  test('says that it needs more memory than it may have, although columns are outside of the heap', async () => {
    const matching = open(48);
    await expect(matching.read('source', input, fileOf(40_000, 'x'.repeat(2_000)), () => {})).rejects.toMatchObject({
      code: 'out_of_memory',
      message: 'Matching these inputs needs more than 48 MB; raise WORKER_MEMORY_MB or split the run by period.',
    });
    await matching.close();
  });

  test('ends at once when it is cancelled, in the middle of what it does', async () => {
    const cancelling = new AbortController();
    const matching = open(1_024, cancelling.signal);
    const reading = matching.read('source', input, fileOf(2_000_000), () => cancelling.abort(new Error('cancelled')));
    await expect(reading).rejects.toThrow('cancelled');
    await matching.close();
    await expect(matching.match(() => {})).rejects.toThrow('cancelled');
  });
});
