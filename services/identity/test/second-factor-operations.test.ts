/** What an operator does for whoever has lost the second factor, or never had it. */
import { databaseSettings, loadConfig } from '@settler/chassis/config';
import { createLogger } from '@settler/chassis/logger';
import { openServiceDatabase } from '@settler/chassis/service-database';
import type { ChassisTables } from '@settler/chassis/tables';
import { lockWaits, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { removeSecondFactor } from '../src/infrastructure/postgres/accounts/second-factor-operations.ts';
import { codeFor, enrol } from './authenticator.ts';
import { type Identity, type Person, password, shareIdentity } from './setup.ts';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

const enrolled = async () => enrol(identity, await identity.register());
const logIn = (email: string) => identity.anonymous().post('/v1/auth/login', { email, password });
const refresh = ({ refreshToken }: Person) => identity.anonymous().post('/v1/auth/refresh', { refreshToken });
/** What the trail of the person's own organization has of codes that were turned off. */
const turnedOff = ({ organizationId, userId }: Person) =>
  waitFor(
    async () => {
      const owner = identity.as({ subject: userId, organizationId, role: 'owner' });
      const { data } = (await owner.get('/v1/audit-events?action=user.totp_disabled')).body;
      return data.length === 0 ? undefined : data;
    },
    { what: 'the entry' },
  );

describe('an operator', () => {
  test('takes the second factor of a user away, and the sessions with it', async () => {
    const person = await enrolled();
    const { email, userId, sessionId } = person;
    const { code, said } = await identity.operate(['second-factors', 'remove', `--user=${userId}`]);
    expect(code).toBe(0);
    expect(said).toMatch(new RegExp(`^${userId} has no second factor .* any more.*\nSessions that were ended: 1\\.\n$`));
    expect((await refresh(person)).status).toBe(401);
    const { revoked } = (await identity.gateway.get('/internal/revocations?after=0')).body;
    expect(revoked).toContainEqual({ kind: 'session', id: sessionId });
    expect(await identity.rows('select 1 from recovery_codes where user_id = $1', [userId])).toEqual([]);
    expect((await logIn(email)).status).toBe(200);
    expect(await turnedOff(person)).toMatchObject([{ actor: { type: 'system', id: 'operator' }, after: { reason: 'operator' } }]);
  });

  test('is told where there is no such user, or no factor, and may name the address', async () => {
    const config = loadConfig(z.object(databaseSettings), identity.island.environmentFor('identity'));
    const postgres = openServiceDatabase<ChassisTables>('identity', config, createLogger('identity', 'silent'));
    const remove = async (options: Record<string, string>): Promise<string> => {
      const lines: string[] = [];
      await removeSecondFactor.run({ postgres, print: (line) => lines.push(line), encryptionKeys: () => [] }, options);
      return lines.join('\n');
    };
    try {
      const [person, begun] = [await enrolled(), await identity.register()];
      // A secret that was never confirmed is asked of nobody.
      expect((await begun.api.post('/v1/me/totp')).status).toBe(200);
      await expect(remove({ user: begun.userId })).rejects.toThrow(`${begun.userId} has no second factor.`);
      expect(await identity.rows('select 1 from totp_secrets where id = $1', [begun.userId])).toHaveLength(1);
      await expect(remove({ user: 'usr_nobody' })).rejects.toThrow('There is no such user.');
      for (const choice of [{}, { user: person.userId, email: person.email }]) await expect(remove(choice)).rejects.toThrow('Say whose');
      expect((await logIn(person.email)).status).toBe(401);
      expect(await remove({ email: ` ${person.email.toUpperCase()}` })).toContain(`${person.userId} has no second factor`);
      expect((await logIn(person.email)).status).toBe(200);
    } finally {
      await postgres.close();
    }
  });

  test('takes away also what is confirmed at the same moment', async () => {
    const person = await identity.register();
    const { secret } = (await person.api.post('/v1/me/totp')).body;
    const [operating, observer] = [await identity.database('admin'), await identity.database('admin')];
    // As an operator does who has not committed.
    await operating.query('begin');
    await operating.query('select 1 from users where id = $1 for update', [person.userId]);
    const confirming = person.api.post('/v1/me/totp/confirm', { code: codeFor(secret) });
    await waitFor(async () => (await observer.query(lockWaits)).rowCount === 1, { what: 'it to wait' });
    await operating.query("update sessions set ended_at = now(), end_reason = 'revoked' where user_id = $1", [person.userId]);
    await operating.query('commit');
    expect((await confirming).status).toBe(401);
    expect((await logIn(person.email)).status).toBe(200);
  });
});
