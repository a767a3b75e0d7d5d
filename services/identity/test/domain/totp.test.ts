import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { base32, codeOf, compact, isCode, otpauthUri, recoveryCodeText, stepAt, stepOf } from '../../src/domain/totp.ts';

// The secret of RFC 6238, appendix B.
const hmac = (step: Uint8Array) => createHmac('sha1', '12345678901234567890').update(step).digest();
const at = (seconds: number) => new Date(seconds * 1000);

describe('a one-time code', () => {
  // The RFC's vectors have eight digits; ours are their last six.
  test.each([
    [59, '287082'],
    [1111111109, '081804'],
    [1111111111, '050471'],
    [1234567890, '005924'],
    [2000000000, '279037'],
    [20000000000, '353130'],
  ])('at %i s is %s, as in the RFC', (seconds, code) => {
    expect(codeOf(stepAt(at(seconds)), hmac)).toBe(code);
    expect(stepOf(code, at(seconds), 0, hmac)).toBe(stepAt(at(seconds)));
  });

  test('counts one step early and late, and not two', () => {
    const now = at(1111111109);
    for (const drift of [-1, 0, 1]) expect(stepOf(codeOf(stepAt(now) + drift, hmac), now, 0, hmac)).toBe(stepAt(now) + drift);
    for (const drift of [-2, 2]) expect(stepOf(codeOf(stepAt(now) + drift, hmac), now, 0, hmac)).toBeUndefined();
  });

  test('counts once, and none before it counts any more', () => {
    const now = at(1111111109);
    const step = stepAt(now);
    expect(stepOf(codeOf(step, hmac), now, step, hmac)).toBeUndefined();
    expect(stepOf(codeOf(step - 1, hmac), now, step, hmac)).toBeUndefined();
    expect(stepOf(codeOf(step + 1, hmac), now, step, hmac)).toBe(step + 1);
  });
});

describe('what people and programs read', () => {
  test('is base32 as in RFC 4648, appendix 10', () => {
    expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) => base32(Buffer.from(text)))).toEqual([
      '',
      'MY',
      'MZXQ',
      'MZXW6',
      'MZXW6YQ',
      'MZXW6YTB',
      'MZXW6YTBOI',
    ]);
  });

  test('may be typed in groups and in any case', () => {
    const text = recoveryCodeText(Buffer.from('0123456789'));
    expect(text).toMatch(/^([A-Z2-7]{4}-){3}[A-Z2-7]{4}$/);
    expect(compact(` ${text.toLowerCase().replaceAll('-', ' ')}`)).toBe(compact(text));
    expect([isCode(compact('123 456')), isCode('12345'), isCode(compact(text))]).toEqual([true, false, false]);
  });

  test('names the account, whatever is in it', () => {
    expect(otpauthUri('Settler', 'ada+one@example.com', 'MZXW6')).toBe(
      'otpauth://totp/Settler:ada%2Bone%40example.com?secret=MZXW6&issuer=Settler&algorithm=SHA1&digits=6&period=30',
    );
  });
});
