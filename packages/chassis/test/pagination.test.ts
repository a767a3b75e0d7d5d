import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createCursors, pageByName, pageQuery } from '../src/pagination.ts';
import { Refusal } from '../src/refusal.ts';

const query = z.object(pageQuery);

describe('the query of a list', () => {
  test.each(['1', '200'])('takes a limit of %s', (limit) => {
    expect(query.parse({ limit })).toEqual({ limit: Number(limit) });
  });

  test.each(['0', '201', '1.5', '1e2', '0x10', ' 7', '-1', '', '9'.repeat(16)])(
    'refuses a limit of %j and says which it takes',
    (limit) => {
      const messages = query.safeParse({ limit }).error?.issues.map(({ message }) => message);
      expect(messages).toEqual(['must be a whole number from 1 to 200']);
    },
  );
});

describe('a cursor', () => {
  const cursors = createCursors(Buffer.alloc(32, 7));
  const cursor = cursors.write('jobs', ['2026-04-01T09:30:00.000Z', 'job_1']);
  const [body = '', seal = ''] = cursor.split('.');

  test('is read as the position that it was written for', () => {
    expect(cursors.read('jobs', cursor)).toEqual(['2026-04-01T09:30:00.000Z', 'job_1']);
  });

  test.each([
    ['a letter behind it', `${cursor}x`],
    ['padding', `${cursor}=`],
    ['a space', `${cursor} `],
    ['a part more', `${cursor}.x`],
    ['a letter less', cursor.slice(0, -1)],
    ['another seal', `${body}.${seal.startsWith('A') ? 'B' : 'A'}${seal.slice(1)}`],
    ['another position', `${Buffer.from('["2027"]').toString('base64url')}.${seal}`],
    ['no seal', body],
    ['nothing', ''],
  ])('is refused with %s', (_what, changed) => {
    expect(() => cursors.read('jobs', changed)).toThrow(Refusal);
  });

  test('is none of another list', () => {
    expect(() => cursors.read('jobs of others', cursor)).toThrow(Refusal);
  });
});

test('a catalogue is told page by page, each item once, however its cursor’s item fares meanwhile', () => {
  const cursors = createCursors(Buffer.alloc(32, 7));
  const page = (names: readonly string[], cursor?: string) =>
    pageByName(
      names.map((name) => ({ name })),
      ({ name }) => name,
      { cursors, list: 'letters', limit: 2, cursor },
    );
  const names = ({ data }: ReturnType<typeof page>) => data.map(({ name }) => name);
  const first = page(['c', 'a', 'd', 'b', 'e']);
  const second = page(['c', 'a', 'd', 'e', 'aa'], first.nextCursor ?? '');
  const third = page(['c', 'a', 'd', 'b', 'e'], second.nextCursor ?? '');
  expect([names(first), names(second), names(third), third.nextCursor]).toEqual([['a', 'b'], ['c', 'd'], ['e'], null]);
});
