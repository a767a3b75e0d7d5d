import { expect, test } from 'vitest';
import { maskFor } from '../../src/domain/mask.ts';

const masked = (values: readonly string[], text: string) => maskFor(values)(text, false);

test('a value is masked wherever it stands, and also without its first word', () => {
  expect(masked(['Bearer s3cret-token'], 'authorization: Bearer s3cret-token, token=s3cret-token')).toBe('authorization: ••••, token=••••');
  expect(masked(['k.y+1'], 'k.y+1 kxy+1')).toBe('•••• kxy+1');
});

test('a value is masked as JSON writes it', () => {
  const value = 'Basic "quoted\\thing"';
  const echoed = JSON.stringify({ headers: { authorization: value } });
  expect(masked([value], echoed)).toBe('{"headers":{"authorization":"••••"}}');
});

test('a value that another begins with does not leave the rest of that', () => {
  expect(masked(['abc', 'abcdef'], 'abcdef abc')).toBe('•••• ••••');
});

test('the words of a value stay readable where they are no credential, and so does what has no values', () => {
  expect(masked(['Team one'], 'Team one, one by one')).toBe('••••, one by one');
  expect(masked([], 'as it is')).toBe('as it is');
  expect(masked(['', ' '], 'as it is')).toBe('as it is');
});

test('of a text that was cut off, a value that was begun is masked, too', () => {
  const mask = maskFor(['Bearer s3cret-token']);
  expect(mask('before Bearer s3cr', true)).toBe('before ••••');
  expect(mask('before s3cret-toke', true)).toBe('before ••••');
  expect(mask('before Bearer s3cr', false)).toBe('before Bearer s3cr');
  expect(mask('nothing', true)).toBe('nothing');
  expect(maskFor([])('nothing', true)).toBe('nothing');
});
