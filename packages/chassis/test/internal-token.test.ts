import { generateKeyPairSync } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createHttp } from '../src/http.ts';
import { createInternalSigner, createInternalVerifier } from '../src/internal-token.ts';
import { createLogger } from '../src/logger.ts';
import { claimsFrom } from '../src/principal.ts';

const pairOf = () => generateKeyPairSync('ed25519');
const gateway = pairOf();
const noon = Date.UTC(2026, 3, 1, 12);
const publicKeys = { gateway: gateway.publicKey.export({ format: 'der', type: 'spki' }).toString('base64') };
const tokenAt = (ms: number, { privateKey } = gateway): string =>
  createInternalSigner(
    'gateway',
    privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    () => ms,
  )({ aud: 'jobs', sub: 'system', kind: 'system', scopes: [] });

let app: FastifyInstance;
let lines: Record<string, unknown>[];
let nowMs: number;

beforeEach(async () => {
  lines = [];
  nowMs = noon;
  const verify = createInternalVerifier('jobs', publicKeys, () => nowMs);
  app = await createHttp({ service: 'jobs', logger: createLogger('jobs', 'warn', { write: (line) => lines.push(JSON.parse(line)) }) });
  app.get('/', (request) => claimsFrom(request.headers.authorization, verify, ['gateway']));
});
afterEach(() => app.close());

const ask = (token: string) => app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } });

describe('the time of an internal token', () => {
  test.each([
    ['5 s ahead of this clock', 5],
    ['as old as the gateway keeps it, by a clock that is 35 s behind', -65],
  ])('may be %s', async (_what, seconds) => {
    expect((await ask(tokenAt(noon + seconds * 1_000))).statusCode).toBe(200);
    expect(lines).toEqual([]);
  });

  test.each([
    ['further ahead', 6, 'the clock of gateway is 6 s ahead of this one'],
    ['longer ago', -66, 'a token that gateway has signed 66 s ago by this clock'],
  ])('that is %s is no fault of whoever asks, and the log says whose clock it is', async (_what, seconds, said) => {
    const answer = await ask(tokenAt(noon + seconds * 1_000));
    expect([answer.statusCode, answer.headers['retry-after'], answer.json().code]).toEqual([503, '1', 'upstream_unavailable']);
    expect(lines).toEqual([expect.objectContaining({ level: 'warn', err: expect.stringContaining(said) })]);
  });

  test('runs out also for one that was verified before', async () => {
    const token = tokenAt(noon);
    expect((await ask(token)).statusCode).toBe(200);
    nowMs = noon + 66_000;
    expect((await ask(token)).statusCode).toBe(503);
  });

  test('says nothing of one that somebody else has signed', async () => {
    const answer = await ask(tokenAt(noon + 60_000, pairOf()));
    expect([answer.statusCode, answer.json().code]).toEqual([401, 'unauthenticated']);
    expect(lines).toEqual([]);
  });
});
