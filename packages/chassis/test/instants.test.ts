import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseInstant } from '../src/instants.ts';

const pg = createRequire(import.meta.url)('pg') as typeof import('pg');
const library = pg.types.getTypeParser(1184, 'text') as (text: string) => unknown;

/** As PostgreSQL writes it in UTC: a fraction without the zeros at its end. */
const written = (at: Date): string => {
  const text = at.toISOString();
  const fraction = text.slice(20, 23).replace(/0+$/, '');
  return `${text.slice(0, 10)} ${text.slice(11, 19)}${fraction === '' ? '' : `.${fraction}`}+00`;
};

it('an instant is read as it was written', () => {
  const instants = fc.date({ min: new Date('0100-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
  fc.assert(
    fc.property(instants, (at) => {
      expect(parseInstant(written(at))).toEqual(at);
      expect(parseInstant(written(at))).toEqual(library(written(at)));
    }),
    { numRuns: 2_000 },
  );
});

it('and where it has microseconds, to the millisecond', () => {
  for (const text of [
    '2026-11-29 01:52:19.608123+00',
    '2026-11-29 01:52:19.999999+00',
    '1969-12-31 23:59:59.999999+00',
    '2026-11-29 01:52:19.0001+00',
  ])
    expect(parseInstant(text)).toEqual(library(text));
});

it.each([
  '2026-11-29 01:52:19.6081234+00',
  '2026-11-29 01:52:19.608+02',
  '2026-11-29 01:52:19.608+05:30',
  '2026-11-29 01:52:19-03',
  '0050-01-01 00:00:00+00',
  '10000-01-01 00:00:00+00',
  '0044-03-15 12:00:00+00 BC',
  'infinity',
  '-infinity',
])('what has another form is read as the library does: %s', (text) => {
  expect(parseInstant(text)).toEqual(library(text));
});
