import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Client, client, startService } from '@settler/harness';
import { freePorts } from '@settler/local/processes/ports';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Identity, password, startIdentity } from './setup.ts';

const program = fileURLToPath(new URL('../src/operate.ts', import.meta.url));

const replicaOf = async ({ island }: Identity): Promise<Client> => {
  const [port] = await freePorts(1, process.pid);
  const { url } = await startService('identity', island.environmentFor('identity', { PORT: String(port) }));
  return client(url, { token: () => island.principalToken({ audience: 'identity', kind: 'anonymous', scopes: [] }) });
};

describe('signing keys', () => {
  let identity: Identity;

  beforeAll(async () => {
    identity = await startIdentity();
  });
  afterAll(() => identity.dispose());

  const operate = async (...command: string[]): Promise<{ readonly code: number; readonly said: string }> => {
    const env = { ...process.env, ...identity.island.environmentFor('identity') };
    try {
      const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@settler/source', program, ...command], { env });
      return { code: 0, said: stdout };
    } catch (error) {
      const { code, stderr } = error as { code: number; stderr: string };
      return { code, said: stderr };
    }
  };
  const published = async () => (await identity.anonymous().get('/.well-known/jwks.json')).body;
  const statuses = async (): Promise<string[]> => {
    const { said } = await operate('signing-keys', 'list');
    return said
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)[1] ?? '');
  };

  test('are not rotated to one that somebody may not know yet, unless it is said to be known', async () => {
    expect(await statuses()).toEqual(['current', 'next']);
    expect(await operate('signing-keys', 'rotate')).toEqual({ code: 2, said: expect.stringContaining('less than 10 minutes ago') });
    const { accessToken } = await identity.register();
    const before = await published();

    expect(await operate('signing-keys', 'rotate', '--now')).toEqual({ code: 0, said: expect.stringContaining('signs from now on') });
    expect((await statuses()).sort()).toEqual(['current', 'next', 'retired']);

    // Another replica has read them again, and the first one follows within a minute: what either signs counts for whoever knows
    // the keys of before, and for whoever knows those of now.
    const replica = await replicaOf(identity);
    const after = (await replica.get('/.well-known/jwks.json')).body;
    expect(after.keys).toHaveLength(3);
    const account = { email: 'later@example.com', password, organizationName: 'Later' };
    const later = (await replica.post('/v1/auth/register', account)).body.accessToken;
    for (const token of [accessToken, later])
      for (const keys of [before, after]) await jwtVerify(token, createLocalJWKSet(keys), { audience: 'settler-api' });
    expect(decodeProtectedHeader(later).kid).not.toBe(decodeProtectedHeader(accessToken).kid);
  });
});
