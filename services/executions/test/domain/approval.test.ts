import { describe, expect, it } from 'vitest';
import { takesSecond, whyNotMaker, whyNotSecond } from '../../src/domain/approval.ts';
import { mostOf } from '../../src/domain/stake.ts';

const approval = { above: { EUR: '25.00', JPY: '3000.5' } };
const of = (currency: string | null, amountMinor: bigint | null) => ({ currency, amountMinor });

describe('a second person', () => {
  it('is not asked where the job does not say so, nor up to the amount, whatever its sign', () => {
    expect(takesSecond(undefined, [of('EUR', 10n ** 12n)])).toBe(false);
    expect(takesSecond(approval, [of('EUR', 2_500n), of('EUR', -2_500n), of('JPY', 3_000n)])).toBe(false);
  });

  it.each([
    ['above it', of('EUR', 2_501n)],
    ['below zero by more', of('EUR', -2_501n)],
    ['in a currency without smaller units', of('JPY', 3_001n)],
    ['in a currency that is not named', of('USD', 1n)],
    ['without a currency', of(null, null)],
    ['of an amount that nobody knows', of('EUR', null)],
  ])('is asked %s', (_, stake) => {
    expect(takesSecond(approval, [of('EUR', 1n), stake])).toBe(true);
  });

  it('is told the most that is at stake, and nothing where that is not known', () => {
    expect(mostOf([of('EUR', 1n), of('EUR', -3n), of('EUR', 2n)])).toEqual(of('EUR', -3n));
    expect(mostOf([of('EUR', 1n), of('EUR', null)])).toEqual(of(null, null));
  });

  const user = (id: string) => ({ id, personId: id });
  const key = (id: string, personId: string | null) => ({ id, personId });

  it('is not who withdraws it: that is whoever settled it, by whatever key, and of nobody knows whom the same key', () => {
    expect(whyNotMaker(user('ann'), user('ann'))).toBeUndefined();
    expect(whyNotMaker(user('ann'), key('k1', 'ann'))).toBeUndefined();
    expect(whyNotMaker(key('k1', 'ann'), key('k2', 'ann'))).toBeUndefined();
    expect(whyNotMaker(key('k1', null), key('k1', null))).toBeUndefined();
    for (const [maker, other] of [
      [user('ann'), user('bob')],
      [user('ann'), key('k1', 'bob')],
      [user('ann'), key('k1', null)],
      [key('k1', null), key('k2', null)],
      [key('k1', null), user('ann')],
    ] as const)
      expect(whyNotMaker(maker, other)).toBeDefined();
  });

  it('is never whoever settled it, by whatever key, and never a key of nobody knows whom', () => {
    expect(whyNotSecond(user('ann'), user('bob'))).toBeUndefined();
    expect(whyNotSecond(key('k1', 'ann'), key('k2', 'bob'))).toBeUndefined();
    expect(whyNotSecond(key('k1', null), user('bob'))).toBeUndefined();
    for (const [maker, second] of [
      [user('ann'), user('ann')],
      [user('ann'), key('k1', 'ann')],
      [key('k1', 'ann'), user('ann')],
      [key('k1', 'ann'), key('k2', 'ann')],
      [key('k1', 'ann'), key('k1', 'ann')],
      [user('ann'), key('k1', null)],
      [key('k1', null), key('k2', 'bob')],
    ] as const)
      expect(whyNotSecond(maker, second)).toBeDefined();
  });
});
