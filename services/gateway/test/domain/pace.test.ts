import { describe, expect, test } from 'vitest';
import { followPace } from '../../src/forwarding/pace.ts';

const pace = { bytesPerSecondMin: 1_000, stallMs: 30_000 };

/** After which second a client is too slow that has sent `bytesBy(second)` by then; undefined where it never is within ten minutes. */
const tooSlowAfter = (bytesBy: (second: number) => number, isWaitedFor: (second: number) => boolean = () => true): number | undefined => {
  const keepsPace = followPace(pace);
  for (let second = 1; second <= 600; second += 1) if (!keepsPace(1_000, bytesBy(second), isWaitedFor(second))) return second;
  return undefined;
};

describe('a client that is waited for', () => {
  test('may stand still for as long as is borne, and no longer', () => {
    expect(tooSlowAfter(() => 0)).toBe(30);
    expect(tooSlowAfter(() => 1_000_000)).toBe(31);
    expect(tooSlowAfter((second) => Math.min(second, 100) * 5_000)).toBe(130);
  });

  test('is too slow with less than the rate, however evenly it comes, and is not with more', () => {
    expect(tooSlowAfter((second) => second)).toBe(31);
    expect(tooSlowAfter((second) => second * 900)).toBe(300);
    expect(tooSlowAfter((second) => second * 1_000)).toBeUndefined();
  });

  test('earns back the time of a stall by what it sends afterwards', () => {
    // Twenty seconds of nothing, ten in which it comes at twice the rate and a little more.
    const bytesBy = (second: number) => Math.floor(second / 30) * 31_000 + Math.max(0, (second % 30) - 20) * 3_100;
    expect(tooSlowAfter(bytesBy)).toBeUndefined();
  });

  test('cannot save up time, whatever it has sent at once', () => {
    expect(tooSlowAfter((second) => (second === 1 ? 1_000 : 1_000_000_000))).toBe(32);
  });
});

test('a client is not to blame for what the service takes', () => {
  expect(
    tooSlowAfter(
      () => 0,
      () => false,
    ),
  ).toBeUndefined();
});
