import { generateKeyPairSync } from 'node:crypto';
import { type Client, lockWaits, waitFor } from '@settler/harness';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Identity, password, startIdentity } from './setup.ts';

describe('signing keys', () => {
  let identity: Identity;
  let admin: Awaited<ReturnType<Identity['database']>>;

  beforeAll(async () => {
    identity = await startIdentity();
    admin = await identity.database('admin');
  });
  afterAll(() => identity.dispose());

  const operate = (...command: string[]) => identity.operate(command, { JWT_PRIVATE_KEY: '' });
  const published = async () => (await identity.anonymous().get('/.well-known/jwks.json')).body;
  /** A process of its own for each look at them would take longer than everything else here. */
  const kept = async (): Promise<{ id: string; status: string }[]> =>
    (await admin.query('select id, status from signing_keys order by created_at')).rows;
  const statuses = async (): Promise<string[]> => (await kept()).map(({ status }) => status);

  test('are not rotated to one that somebody may not know yet, unless it is said to be known', async () => {
    expect(await statuses()).toEqual(['current', 'next']);
    const { said } = await operate('signing-keys', 'list');
    expect(said).toMatch(new RegExp((await kept()).map(({ id, status }) => `${id}  ${status} since 20\\S+Z\\n`).join('')));
    expect(await operate('signing-keys', 'rotate')).toEqual({ code: 2, said: expect.stringContaining('less than 10 minutes ago') });
    const { accessToken } = await identity.register();
    const before = await published();

    expect(await operate('signing-keys', 'rotate', '--now')).toEqual({ code: 0, said: expect.stringContaining('signs from now on') });
    expect((await statuses()).sort()).toEqual(['current', 'next', 'retired']);

    // Another replica has read them again, and the first one follows within a minute: what either signs counts for whoever knows
    // the keys of before, and for whoever knows those of now.
    const replica = await identity.replica();
    const after = (await replica.get('/.well-known/jwks.json')).body;
    expect(after.keys).toHaveLength(3);
    const account = { email: 'later@example.com', password, organizationName: 'Later' };
    const later = (await replica.post('/v1/auth/register', account)).body.accessToken;
    for (const token of [accessToken, later])
      for (const keys of [before, after]) await jwtVerify(token, createLocalJWKSet(keys), { audience: 'settler-api' });
    expect(decodeProtectedHeader(later).kid).not.toBe(decodeProtectedHeader(accessToken).kid);
  });

  test('are rotated once by those who rotate at the same moment', async () => {
    await admin.query("update signing_keys set created_at = created_at - interval '1 hour'");
    const before = (await statuses()).length;
    // As whoever makes a key does.
    await admin.query("select pg_advisory_lock(hashtext('settler signing keys'))");
    const both = [operate('signing-keys', 'rotate'), operate('signing-keys', 'rotate')];
    const blocked = `${lockWaits} and locktype = 'advisory'`;
    await waitFor(async () => (await admin.query(blocked)).rowCount === 2, { timeoutMs: 20_000, what: 'both to wait' });
    await admin.query("select pg_advisory_unlock(hashtext('settler signing keys'))");
    const ends = (await Promise.all(both)).sort((one, other) => one.code - other.code);
    expect(ends).toEqual([
      { code: 0, said: expect.stringContaining('signs from now on') },
      { code: 2, said: expect.stringContaining('has just rotated') },
    ]);
    expect(await statuses()).toHaveLength(before + 1);
  });

  test('are withdrawn one by one or all together, and what signs afterwards is told by a replica that has heard nothing', async () => {
    const idsOf = async (wanted: string) => (await kept()).flatMap(({ id, status }) => (status === wanted ? [id] : []));
    const kids = async () => (await published()).keys.map(({ kid }: { kid: string }) => kid).sort();
    const [current = ''] = await idsOf('current');
    const [next] = await idsOf('next');
    for (const choice of [[], ['--all', `--key=${current}`]])
      expect(await operate('signing-keys', 'withdraw', ...choice)).toEqual({ code: 2, said: expect.stringContaining('Say which') });
    expect(await operate('signing-keys', 'withdraw', '--key=other')).toMatchObject({ code: 2 });

    expect(await operate('signing-keys', 'withdraw', `--key=${current}`)).toEqual({
      code: 0,
      said: expect.stringContaining(`${next} signs from now on`),
    });
    expect(await operate('signing-keys', 'withdraw', `--key=${current}`)).toMatchObject({ code: 2 });
    expect(await kids()).not.toContain(current);
    expect(decodeProtectedHeader((await identity.register()).accessToken).kid).toBe(next);

    const before = await kids();
    expect((await operate('signing-keys', 'withdraw', '--all')).code).toBe(0);
    const after = await kids();
    expect(after).toHaveLength(2);
    expect(before.filter((kid: string) => after.includes(kid))).toEqual([]);
    expect([decodeProtectedHeader((await identity.register()).accessToken).kid]).toEqual(await idsOf('current'));
    expect(await idsOf('withdrawn')).toEqual(expect.arrayContaining([current, ...before]));
    // Nothing of them is left to sign with.
    const sealed = await admin.query("select 1 from signing_keys where status = 'withdrawn' and sealed_private_key is not null");
    expect(sealed.rowCount).toBe(0);
  });

  test('that are given to one replica after the other sign when all of them publish it', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const settings = { JWT_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
    const kidsOf = (keySet: { keys: { kid: string }[] }) => keySet.keys.map(({ kid }) => kid);
    const signedBy = async (replica: Client, email: string) => {
      const { body } = await replica.post('/v1/auth/register', { email, password, organizationName: 'Given' });
      return decodeProtectedHeader(body.accessToken).kid;
    };
    const known = (await admin.query('select id from signing_keys')).rows.map(({ id }) => id);
    const first = await identity.replica(settings);
    const given = kidsOf((await first.get('/.well-known/jwks.json')).body).filter((kid) => !known.includes(kid));
    expect(given).toHaveLength(1);
    expect(known).toContain(await signedBy(first, 'one@example.com'));
    await admin.query("update signing_keys set created_at = created_at - interval '10 minutes'");
    expect([await signedBy(await identity.replica(settings), 'two@example.com')]).toEqual(given);
  });
});
