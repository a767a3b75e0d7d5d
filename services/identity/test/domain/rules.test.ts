import { describe, expect, test } from 'vitest';
import { passwordFault } from '../../src/domain/password.ts';
import { type KeyState, planKeys, planRotation, planWithdrawal } from '../../src/domain/signing-keys.ts';
import { slugOf } from '../../src/domain/slug.ts';
import { waitSeconds, windowMs } from '../../src/domain/throttle.ts';

const now = new Date('2026-04-01T09:30:00.000Z');
const before = (ms: number) => new Date(now.getTime() - ms);

describe('a new password', () => {
  test('has 15 characters or more, counted as people count them', () => {
    expect(passwordFault('fourteen chars', [])).toMatch(/at least 15/);
    expect(passwordFault('fifteen chars !', [])).toBeUndefined();
    expect(passwordFault('🔑'.repeat(14), [])).toMatch(/at least 15/);
    expect(passwordFault(`${'🔑'.repeat(13)}🗝🔒`, [])).toBeUndefined();
    expect(passwordFault('correct horse battery staple', [])).toBeUndefined();
    expect(passwordFault('xyz '.repeat(256), [])).toBeUndefined();
  });

  test('is not one that everybody tries, in any case, nor what others know of the user', () => {
    expect(passwordFault('PasswordPassword', [])).toMatch(/tried first/);
    expect(passwordFault('1234567890123456', [])).toMatch(/tried first/);
    expect(passwordFault('Ada@Lovelace.example', ['ada@lovelace.example'])).toMatch(/know of you/);
  });

  test.each([
    'ada@lovelace.exampleada@lovelace.example',
    'ADA@lovelace.example ada@lovelace.example',
    'ada@lovelace.example!!!',
    'ada-ada-ada-ada-ada',
    'Countess Ada Lovelace',
    'Lovelace Lovelace',
    'harbourcoffeeHarbour',
    'Ｈarbour Ｃoffee Ltd',
    'settlersettlersettler',
  ])('is more than what others know of the user: not %j', (password) => {
    const own = ['ada@lovelace.example', 'Countess Ada Lovelace', 'Harbour Coffee Ltd'];
    expect(passwordFault(password, own)).toMatch(/know of you/);
    expect(passwordFault(`${password} x7`, own)).toBeUndefined();
  });

  test.each([' ', 'x', '\u00a0', '\u200b', '🔑', 'x '])('is more than %j again and again', (text) => {
    expect(passwordFault(text.repeat(15), [])).toMatch(/again and again/);
    expect(passwordFault(text.repeat(8), [], 8)).toMatch(/again and again/);
  });

  test('may have in it what others know of the user, and a user may have no name to speak of', () => {
    expect(passwordFault('ada takes the harbour ferry', ['ada@harbour.example'])).toBeUndefined();
    expect(passwordFault('correct horse battery staple', ['', ' ', 'a'])).toBeUndefined();
  });
});

describe('a slug', () => {
  test.each([
    ['Harbour Coffee', 'harbour-coffee'],
    ['  Café Zürich & Söhne  ', 'cafe-zurich-sohne'],
    ['日本', 'organization'],
    ['--', 'organization'],
    ['a'.repeat(60), 'a'.repeat(40)],
    [`${'a'.repeat(39)} b`, 'a'.repeat(39)],
  ])('of %j is %j', (name, slug) => expect(slugOf(name)).toBe(slug));
});

describe('the wait after failed logins', () => {
  test('ends when the failure that filled the limit leaves the window', () => {
    expect(waitSeconds(null, now)).toBeUndefined();
    expect(waitSeconds(before(0), now)).toBe(900);
    expect(waitSeconds(before(windowMs - 1), now)).toBe(1);
    expect(waitSeconds(before(windowMs), now)).toBeUndefined();
  });
});

describe('the signing keys', () => {
  const dayMs = 24 * 3600_000;
  const current: KeyState = { id: 'c', status: 'current', createdAt: before(9 * dayMs), activatedAt: before(dayMs), retiredAt: null };
  const next: KeyState = { id: 'n', status: 'next', createdAt: before(dayMs), activatedAt: null, retiredAt: null };
  const retired: KeyState = {
    id: 'r',
    status: 'retired',
    createdAt: before(9 * dayMs),
    activatedAt: before(9 * dayMs),
    retiredAt: before(3600_001),
  };
  const plan = (keys: KeyState[], rotationMs = 30 * dayMs, given?: string) => planKeys(keys, now, rotationMs, given);

  test('are two from the first start on', () => {
    expect(plan([])).toEqual({ create: ['current', 'next'], forget: [] });
    expect(plan([current])).toEqual({ create: ['next'], forget: [] });
    expect(plan([next])).toEqual({ activate: 'n', create: ['next'], forget: [] });
    expect(plan([current, next])).toEqual({ create: [], forget: [] });
  });

  test('rotate when the current one is old, to the one that was published before', () => {
    expect(plan([current, next], dayMs)).toEqual({ retire: 'c', activate: 'n', create: ['next'], forget: [] });
    expect(plan([current], dayMs)).toEqual({ create: ['next'], forget: [] });
    // Whoever verifies may not know it yet.
    expect(plan([current, { ...next, createdAt: before(599_999) }], dayMs)).toEqual({ create: [], forget: [] });
    expect(plan([current, { ...next, createdAt: before(600_000) }], dayMs)).toMatchObject({ activate: 'n' });
  });

  test('rotate when they are told to, to the next one that was meant', () => {
    expect(planRotation([current, next], now, 'n')).toEqual({ retire: 'c', activate: 'n', create: ['next'], forget: [] });
    expect(planRotation([current, next, retired], now, 'c')).toBeUndefined();
    expect(planRotation([current], now, 'n')).toBeUndefined();
  });

  test('that are withdrawn sign nothing and are published no more, and there are two again', () => {
    expect(planWithdrawal([current, next, retired], now, ['c'])).toEqual({
      withdraw: ['c'],
      activate: 'n',
      create: ['next'],
      forget: ['r'],
    });
    // However new the next one is: gateways ask for the keys at once.
    const isNew = { ...next, createdAt: now };
    expect(planWithdrawal([current, isNew], now, ['c'])).toMatchObject({ activate: 'n' });
    expect(planWithdrawal([current, next], now, ['n'])).toEqual({ withdraw: ['n'], create: ['next'], forget: [] });
    expect(planWithdrawal([current, next, retired], now, ['r'])).toEqual({ withdraw: ['r'], create: [], forget: [] });
    expect(planWithdrawal([current, next, retired], now, ['c', 'n', 'r'])).toEqual({
      withdraw: ['c', 'n', 'r'],
      create: ['current', 'next'],
      forget: [],
    });
    const withdrawn: KeyState = { ...retired, id: 'w', status: 'withdrawn' };
    for (const id of ['w', 'unknown']) expect(planWithdrawal([current, next, withdrawn], now, [id])).toBeUndefined();
    // It stays known, also where it is the one that the operator gives.
    expect(plan([current, next, withdrawn], 30 * dayMs, 'w')).toEqual({ create: [], forget: [] });
    expect(plan([current, next, withdrawn], dayMs, 'w')).toMatchObject({ retire: 'c', activate: 'n', forget: [] });
  });

  test('a retired one is published until its last token has ended', () => {
    expect(plan([current, next, retired]).forget).toEqual(['r']);
    expect(plan([current, next, { ...retired, retiredAt: before(3600_000) }]).forget).toEqual([]);
  });

  test('the one that the operator gives is current and never rotated away', () => {
    expect(plan([], dayMs, 'g')).toEqual({ activate: 'g', create: ['next'], forget: [] });
    const given: KeyState = { ...next, id: 'g' };
    // In the place of the next one it is published, and signs when that is known.
    expect(plan([current, next], dayMs, 'g')).toEqual({ publish: 'g', create: [], forget: ['n'] });
    expect(plan([current, { ...given, createdAt: before(599_999) }], dayMs, 'g')).toEqual({ create: [], forget: [] });
    expect(plan([current, given], dayMs, 'g')).toEqual({ retire: 'c', activate: 'g', create: ['next'], forget: [] });
    expect(plan([given], dayMs, 'g')).toEqual({ activate: 'g', create: ['next'], forget: [] });
    expect(plan([{ ...current, id: 'g' }, next], dayMs, 'g')).toEqual({ create: [], forget: [] });
    expect(plan([current, next, { ...retired, id: 'g' }], dayMs, 'g')).toMatchObject({ activate: 'g', forget: [] });
  });
});
