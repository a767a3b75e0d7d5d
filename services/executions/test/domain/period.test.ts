import { describe, expect, test } from 'vitest';
import { noDay } from '../../src/domain/matching/batch.ts';
import type { Chunk } from '../../src/domain/matching/batch-builder.ts';
import { dayOf } from '../../src/domain/matching/day.ts';
import { createPeriod, undatedProblems, whyNoPeriod } from '../../src/domain/period.ts';

const april = { from: '2026-04-01', to: '2026-04-30' };
const chunkOf = (
  dates: readonly (string | undefined)[] | undefined,
  invalid: readonly number[] = [],
  rows = dates?.length ?? 0,
): Chunk => ({
  rows,
  lines: Uint32Array.from({ length: rows }, (_, row) => row + 2),
  texts: new Map(),
  ...(dates === undefined ? {} : { date: Int32Array.from(dates, (date) => (date === undefined ? noDay : (dayOf(date) ?? noDay))) }),
  invalid: invalid.map((row) => ({ row, reason: 'cannot be read' })),
});

describe('a period', () => {
  test('keeps both ends, what says no day and what cannot be read, and counts by whether a day is said', () => {
    const period = createPeriod(april);
    const kept = period.chunk(chunkOf(['2026-03-31', '2026-04-01', undefined, '2026-04-30', '2026-05-01', undefined], [5]));
    expect([...kept.lines]).toEqual([3, 4, 5, 7]);
    expect(period.counted()).toEqual({ dated: 4, undated: 1, line: 4 });
  });

  test('asks records as it asks columns', () => {
    const period = createPeriod(april);
    const keeps = (date?: string) => period.record({ record: date === undefined ? {} : { date } });
    expect([keeps('2026-03-31'), keeps('2026-04-30'), keeps()]).toEqual([false, true, true]);
    expect(undatedProblems('target', period.counted())).toEqual([
      {
        side: 'target',
        code: 'no_date',
        message: '1 of the 3 records that can be read have no date: they take part whatever the period',
      },
    ]);
    expect(whyNoPeriod('target', period.counted())).toBeUndefined();
  });

  test('keeps open items that come once more, whatever their day', () => {
    const period = createPeriod(april, new Set(['o2']));
    const bytes = new TextEncoder().encode('o1o2');
    const kept = period.chunk({
      ...chunkOf(['2026-03-31', '2026-05-01']),
      texts: new Map([['id', { bytes, offsets: Uint32Array.of(0, 2, 4) }]]),
    });
    expect([...kept.lines]).toEqual([3]);
    expect(['o1', 'o2', undefined].map((id) => period.record({ record: { id, date: '2026-05-01' } }))).toEqual([false, true, false]);
  });

  test('cannot be asked of a side that has no dates at all; of one without records it can', () => {
    const period = createPeriod(april);
    period.chunk(chunkOf(undefined, [0], 3));
    expect(whyNoPeriod('source', period.counted())).toContain('none of the 2 records of the source');
    expect(whyNoPeriod('source', createPeriod(april).counted())).toBeUndefined();
  });

  test('of all days asks nothing', () => {
    const period = createPeriod(null);
    const chunk = chunkOf([undefined]);
    expect([period.chunk(chunk) === chunk, undatedProblems('source', period.counted())]).toEqual([true, []]);
  });
});
