import { execFile } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { accessTokenSeconds } from '@settler/contracts/internal/access-token';
import { type StartedService, waitFor } from '@settler/harness';
import { decodeProtectedHeader, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { claimsIn, type Door, type Person, startDoor, takenFor } from './setup.ts';

const program = fileURLToPath(new URL('../../identity/src/operate.ts', import.meta.url));

let door: Door;
let gateways: readonly StartedService[];
let person: Person;

beforeAll(async () => {
  door = await startDoor({}, () => ({}));
  gateways = [door.gateway, await door.startReplica()];
  person = await door.register();
});
afterAll(() => door.dispose());

const statusOf = async (gateway: StartedService, token: string): Promise<number> =>
  (await door.as({ token }, gateway.url).get('/v1/jobs')).status;
const areAll = async (status: number, token: string): Promise<void> => {
  for (const gateway of gateways) expect(await statusOf(gateway, token)).toBe(status);
};
const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid);
/** How long any replica goes on taking what the key has signed after it was withdrawn, which the command says once it is. */
const withdraw = async (choice: string, token: string): Promise<number> => {
  const env = { ...process.env, ...door.island.environmentFor('identity', { JWT_PRIVATE_KEY: door.signingKey }) };
  const command = ['--conditions=@settler/source', program, 'signing-keys', 'withdraw', choice];
  const running = execFile(process.execPath, command, { env });
  const withdrawnAt = new Promise<number>((resolve, reject) => {
    running.stdout?.once('data', () => resolve(performance.now()));
    running.once('exit', (code) => reject(new Error(`the command ended with ${code}`)));
  });
  const sinceMs = await withdrawnAt;
  const goesOn = (gateway: StartedService) => takenFor(async () => (await statusOf(gateway, token)) !== 401, sinceMs);
  return Math.max(...(await Promise.all(gateways.map(goesOn))));
};
const refreshed = async (refreshToken: string): Promise<{ accessToken: string; refreshToken: string }> => {
  const { status, body } = await door.as({}).post('/v1/auth/refresh', { refreshToken });
  expect(status).toBe(200);
  return body;
};
/** What whoever has the private half can make at any time. */
const forged = (token: string): Promise<string> => {
  const issuedAt = Math.floor(Date.now() / 1_000);
  return new SignJWT({ ...(claimsIn(token) as JWTPayload) })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + accessTokenSeconds)
    .setProtectedHeader(decodeProtectedHeader(token) as JWTHeaderParameters)
    .sign(createPrivateKey(door.signingKey));
};

describe('what a key has signed that was withdrawn', () => {
  let tokens: { accessToken: string; refreshToken: string };

  test('is refused by every replica within a second, and sessions go on with what another key signs', async () => {
    await areAll(200, person.accessToken);
    await areAll(200, await forged(person.accessToken));
    door.executions.answer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
    });
    const headers = { authorization: `Bearer ${person.accessToken}` };
    const streams = await Promise.all(gateways.map(({ url }) => fetch(`${url}/v1/executions/exe_1/events`, { headers })));
    expect(streams.map(({ status }) => status)).toEqual([200, 200]);

    expect(await withdraw(`--key=${kidOf(person.accessToken)}`, person.accessToken)).toBeLessThan(1_000);

    await Promise.all(streams.map((stream) => stream.text()));
    const refused = await door.as({ token: person.accessToken }).get('/v1/jobs');
    expect(refused.body).toMatchObject({ code: 'unauthenticated', detail: expect.stringContaining('refresh it') });
    // Not only what was seen before: the key makes nothing any more, also before a gateway that starts now.
    await areAll(401, await forged(person.accessToken));
    tokens = await refreshed(person.refreshToken);
    expect(kidOf(tokens.accessToken)).not.toBe(kidOf(person.accessToken));
    await areAll(200, tokens.accessToken);
    gateways = [...gateways, await door.startReplica()];
    await areAll(401, await forged(person.accessToken));
    await areAll(200, tokens.accessToken);
  });

  test('is refused where all of them are withdrawn, and gateways know at once those that nobody had heard of', async () => {
    expect(await withdraw('--all', tokens.accessToken)).toBeLessThan(1_000);
    const later = await refreshed(tokens.refreshToken);
    expect(kidOf(later.accessToken)).not.toBe(kidOf(tokens.accessToken));
    await areAll(200, later.accessToken);
    for (const gateway of gateways) {
      const told = () => gateway.logs().filter((line) => line.includes(kidOf(tokens.accessToken)) && line.includes('withdrawn'));
      await waitFor(() => told().length > 0, { what: 'its log to name the key' });
      expect(told()).toHaveLength(1);
    }
  });
});

test('a gateway that cannot follow revocations asks identity about the key too', async () => {
  const asked = async (query: string) => {
    const token = door.island.principalToken({ audience: 'identity', kind: 'system', scopes: [] });
    const answer = await fetch(`${door.identity.url}/internal/sessions/${person.sessionId}${query}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    return (await answer.json()) as { active: boolean };
  };
  expect((await asked('')).active).toBe(true);
  expect((await asked(`?signedBy=${kidOf(person.accessToken)}`)).active).toBe(false);
  expect((await asked('?signedBy=another')).active).toBe(true);
});
