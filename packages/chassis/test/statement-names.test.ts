import { describe, expect, it } from 'vitest';
import { createStatementNames } from '../src/statement-names.ts';

/** The name that a statement has once it was asked for often enough. */
const nameOf = (text: string): string | undefined => {
  const names = createStatementNames();
  return Array.from({ length: 20 }, () => names(text)).at(-1);
};

describe('names of statements', () => {
  it('come with use, stay what they are, and are no two the same', () => {
    const names = createStatementNames();
    const one = Array.from({ length: 20 }, () => names('select id from jobs where id = $1'));
    const other = Array.from({ length: 20 }, () => names('select name from jobs where id = $1'));
    expect(one.slice(0, 7)).toEqual(Array(7).fill(undefined));
    expect(new Set(one.slice(7))).toEqual(new Set([one.at(-1)]));
    expect(one.at(-1)).toBeTypeOf('string');
    expect(other.at(-1)).not.toBe(one.at(-1));
  });

  it.each([
    'select * from jobs where id = $1',
    'select\n  * from jobs where id = $1',
    'select id, * from jobs where id = $1',
    'select jobs.* from jobs where id = $1',
    'insert into jobs (id) values ($1) returning *',
  ])('are not for what answers whatever columns there are: %s', (text) => {
    expect(nameOf(text)).toBeUndefined();
  });

  it('are not for what takes arrays, whose lengths decide how it is best done', () => {
    expect(nameOf('select id from jobs where id = any($1::text[])')).toBeUndefined();
    expect(nameOf('/* planned once */ select id from unnest($1::text[]) as t(id)')).toBeTypeOf('string');
  });

  it.each([
    'select count(*) as count from jobs where id = $1',
    'select $1::float8 * 2 as twice',
    'update jobs set revision = revision + 1 where id = $1',
  ])('are for everything else: %s', (text) => {
    expect(nameOf(text)).toBeTypeOf('string');
  });

  it('are few, however many statements there are', () => {
    const names = createStatementNames();
    const given = Array.from({ length: 5_000 }, (_, column) =>
      Array.from({ length: 10 }, () => names(`select c${column} from jobs where id = $1`)).at(-1),
    );
    expect(given.filter((name) => name !== undefined)).toHaveLength(200);
    expect(names('select c0 from jobs where id = $1')).toBe(given[0]);
  });
});
