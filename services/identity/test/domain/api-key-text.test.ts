import { createHmac, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { readApiKey, writeApiKey } from '../../src/domain/api-key-text.ts';

const hmacWith = (secret: string) => (text: string) => createHmac('sha256', secret).update(text).digest();
const hmac = hmacWith('one secret');

describe('the text of an API key', () => {
  test('has 71 characters, says its locator, and reads back', () => {
    for (let round = 0; round < 200; round += 1) {
      const written = writeApiKey(randomBytes(9), randomBytes(32), hmac);
      expect(written.key).toMatch(/^stl_live_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(written.key).toHaveLength(71);
      expect(written.prefix).toBe(`stl_live_${written.locator}`);
      expect(readApiKey(written.key, hmac)).toEqual(written);
    }
  });

  test('is the same on every machine', () => {
    const { key } = writeApiKey(new Uint8Array(9).fill(255), new Uint8Array(32).fill(255), hmac);
    // The gateway checks the last six characters by itself: this example holds both to one rule.
    const rest = key.slice(0, -6);
    const number = createHmac('sha256', 'one secret').update(rest).digest().readBigUInt64BE() % 62n ** 6n;
    const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    const checksum = [5n, 4n, 3n, 2n, 1n, 0n].map((power) => digits[Number((number / 62n ** power) % 62n)]).join('');
    expect(key.slice(-6)).toBe(checksum);
  });

  test('the extremes of chance fill all digits', () => {
    expect(writeApiKey(new Uint8Array(9), new Uint8Array(32), hmac).key.slice(0, 65)).toBe(`stl_live_${'0'.repeat(12)}_${'0'.repeat(43)}`);
    expect(writeApiKey(new Uint8Array(9).fill(255), new Uint8Array(32).fill(255), hmac).key).toHaveLength(71);
  });

  test('any changed character, another secret and other shapes are refused', () => {
    const { key } = writeApiKey(randomBytes(9), randomBytes(32), hmac);
    for (const position of [9, 20, 22, 40, 64, 65, 70]) {
      const other = key[position] === 'a' ? 'b' : 'a';
      expect(readApiKey(key.slice(0, position) + other + key.slice(position + 1), hmac)).toBeUndefined();
    }
    expect(readApiKey(key, hmacWith('another secret'))).toBeUndefined();
    for (const text of ['', key.slice(1), `${key}a`, key.replace('live', 'test'), key.replace('_', '-'), `${key}\n`])
      expect(readApiKey(text, hmac)).toBeUndefined();
  });
});
