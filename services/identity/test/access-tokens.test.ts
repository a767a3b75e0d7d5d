import { generateKeyPairSync } from 'node:crypto';
import { accessTokenSeconds } from '@settler/contracts/internal/access-token';
import { decodeJwt } from 'jose';
import { expect, test } from 'vitest';
import { createAccessTokens } from '../src/infrastructure/access-tokens.ts';

test('an access token lasts as long as it may and no second longer, whenever in a second it was made', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const keyring = { signing: async () => ({ id: 'key', key: privateKey }), published: async () => [], stop: () => {} };
  let nowMs = Date.parse('2026-04-01T12:00:00.900Z');
  // Each reading is another second, as the last of one and the first of the next are.
  const tokenFor = createAccessTokens(keyring, 'https://settler.example', () => {
    nowMs += 999;
    return nowMs;
  });
  const grant = { userId: 'usr_1', organizationId: 'org_1', role: 'viewer', sessionId: 'ses_1' } as const;
  const { token, seconds } = await tokenFor({ ...grant, sessionEndsAt: new Date(nowMs + 3_600_000) });
  const { iat = 0, exp = 0 } = decodeJwt(token);
  expect([exp - iat, seconds]).toEqual([accessTokenSeconds, accessTokenSeconds]);

  const sessionEndsAt = new Date(nowMs + 60_000);
  const last = await tokenFor({ ...grant, sessionEndsAt });
  expect(decodeJwt(last.token).exp).toBeLessThanOrEqual(sessionEndsAt.getTime() / 1_000);
  expect(last.seconds).toBeGreaterThan(50);
  expect(last.seconds).toBeLessThanOrEqual(60);
});
