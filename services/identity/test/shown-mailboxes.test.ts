/** Whose a second factor is: of whoever has shown the mailbox, it outlives a reset by mail; of whoever has not, it does not. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { databaseSettings, loadConfig } from '@settler/chassis/config';
import { createLogger } from '@settler/chassis/logger';
import { openServiceDatabase } from '@settler/chassis/service-database';
import type { ChassisTables } from '@settler/chassis/tables';
import { type Answer, lockWaits, waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { removeSecondFactor } from '../src/infrastructure/postgres/second-factor-operations.ts';
import { afterNextStep, codeFor, enrol } from './authenticator.ts';
import { claimsOf, type Identity, type Person, password, shareIdentity } from './setup.ts';

const program = fileURLToPath(new URL('../src/operate.ts', import.meta.url));
const chosen = 'the very words of the owner';
const short = 'nine and';

let identity: Identity;

beforeAll(async () => {
  identity = await shareIdentity();
});
afterAll(() => identity.dispose());

const rows = async (statement: string, values: unknown[] = []) => (await (await identity.database('admin')).query(statement, values)).rows;
const enrolled = async () => enrol(identity, await identity.register());
const logIn = (email: string, secret = password, totp?: string) =>
  identity.anonymous().post('/v1/auth/login', { email, password: secret, ...(totp === undefined ? {} : { totp }) });
const refresh = ({ refreshToken }: Person) => identity.anonymous().post('/v1/auth/refresh', { refreshToken });
const accept = (token: string, secret = password, totp?: string) =>
  identity.anonymous().post('/v1/invitations/accept', { token, password: secret, ...(totp === undefined ? {} : { totp }) });
const reset = (token: string, secret: string) => identity.anonymous().post('/v1/auth/password/reset', { token, password: secret });

const tokensTo = (email: string): string[] =>
  identity.service.logs().flatMap((line) => (line.startsWith(`mail to ${email}:`) ? [line.split('token=')[1] ?? ''] : []));
/** The token of the mail that `order` leads to. */
const tokenOf = async (email: string, order: () => Promise<Answer>): Promise<string> => {
  const before = tokensTo(email).length;
  expect((await order()).status).toBeLessThan(300);
  return waitFor(() => tokensTo(email)[before], { what: 'the mail' });
};
const resetMail = (email: string) => tokenOf(email, () => identity.anonymous().post('/v1/auth/password/forgot', { email }));
const invitationMail = ({ api }: Person, email: string) => tokenOf(email, () => api.post('/v1/invitations', { email, role: 'viewer' }));

const personOf = ({ body: { user, organization, accessToken, refreshToken } }: Answer): Person => {
  const { sid, role } = claimsOf(accessToken) as { sid: string; role: string };
  const api = identity.as({ subject: user.id, organizationId: organization.id, role, sessionId: sid });
  return { email: user.email, userId: user.id, organizationId: organization.id, sessionId: sid, accessToken, refreshToken, api };
};
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

describe('one-time codes', () => {
  test('stay when a password is chosen anew by mail, once the mailbox was shown by a reset', async () => {
    const { email } = await identity.register();
    expect((await reset(await resetMail(email), chosen)).status).toBe(204);
    const { secret } = await enrol(identity, personOf(await logIn(email, chosen)));
    expect((await reset(await resetMail(email), short)).status).toBe(204);
    expect((await logIn(email, short)).status).toBe(401);
    expect((await logIn(email, short, codeFor(secret))).status).toBe(200);
  });

  test('stay, too, once it was shown by an invitation, with a new account or the one that there was', async () => {
    const owner = await identity.register();
    const invited = await enrol(identity, personOf(await accept(await invitationMail(owner, 'invited-with-codes@example.com'))));
    const registered = await enrolled();
    const joined = await accept(await invitationMail(owner, registered.email), password, codeFor(registered.secret));
    expect(joined.status).toBe(200);
    await afterNextStep(identity, registered);
    for (const { email, secret } of [invited, registered]) {
      expect((await reset(await resetMail(email), short)).status).toBe(204);
      expect((await logIn(email, short)).status).toBe(401);
      expect((await logIn(email, short, codeFor(secret))).status).toBe(200);
    }
  });

  test('of whoever registered with the address of another go when the owner of the mailbox chooses a password', async () => {
    const firm = await identity.register();
    const attacker = await enrolled();
    const { email, userId } = attacker;
    const invitation = await invitationMail(firm, email);
    expect((await accept(invitation, chosen)).status).toBe(401);

    const token = await resetMail(email);
    expect((await reset(token, short)).body.errors).toMatchObject([{ path: 'password', message: expect.stringContaining('at least 15') }]);
    expect((await reset(token, chosen)).status).toBe(204);
    expect((await refresh(attacker)).status).toBe(401);
    expect((await logIn(email, password, codeFor(attacker.secret))).status).toBe(401);
    expect(await rows('select 1 from recovery_codes where user_id = $1', [userId])).toEqual([]);
    expect((await accept(invitation, chosen)).status).toBe(200);
    const owner = personOf(await logIn(email, chosen));
    expect(await turnedOff(attacker)).toMatchObject([{ actor: { type: 'user', id: userId }, after: { reason: 'password_reset' } }]);

    // From now on they are the owner's own.
    const { secret } = await enrol(identity, owner);
    expect((await reset(await resetMail(email), password)).status).toBe(204);
    expect((await logIn(email)).status).toBe(401);
    expect((await logIn(email, password, codeFor(secret))).status).toBe(200);
  });

  test('are not confirmed while the owner of the mailbox chooses a password', async () => {
    const attacker = await identity.register();
    const { secret } = (await attacker.api.post('/v1/me/totp')).body;
    const [resetting, observer] = [await identity.database('admin'), await identity.database('admin')];
    // As a reset does that has not committed.
    await resetting.query('begin');
    await resetting.query('select 1 from users where id = $1 for update', [attacker.userId]);
    const confirming = attacker.api.post('/v1/me/totp/confirm', { code: codeFor(secret) });
    await waitFor(async () => (await observer.query(lockWaits)).rowCount === 1, { what: 'it to wait' });
    await resetting.query("update sessions set ended_at = now(), end_reason = 'password' where user_id = $1", [attacker.userId]);
    await resetting.query('commit');
    expect((await confirming).status).toBe(401);
    expect((await logIn(attacker.email)).status).toBe(200);
  });
});

describe('an operator', () => {
  test('takes the second factor of a user away, and the sessions with it', async () => {
    const person = await enrolled();
    const { email, userId, sessionId } = person;
    const env = { ...process.env, ...identity.island.environmentFor('identity') };
    const command = ['--conditions=@settler/source', program, 'second-factors', 'remove', `--user=${userId}`];
    const { stdout } = await promisify(execFile)(process.execPath, command, { env });
    expect(stdout).toMatch(new RegExp(`^${userId} has no second factor .* any more.*\nSessions that were ended: 1\\.\n$`));
    expect((await refresh(person)).status).toBe(401);
    const { revoked } = (await identity.gateway.get('/internal/revocations?after=0')).body;
    expect(revoked).toContainEqual({ kind: 'session', id: sessionId });
    expect(await rows('select 1 from recovery_codes where user_id = $1', [userId])).toEqual([]);
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
      expect(await rows('select 1 from totp_secrets where id = $1', [begun.userId])).toHaveLength(1);
      await expect(remove({ user: 'usr_nobody' })).rejects.toThrow('There is no such user.');
      for (const choice of [{}, { user: person.userId, email: person.email }]) await expect(remove(choice)).rejects.toThrow('Say whose');
      expect((await logIn(person.email)).status).toBe(401);
      expect(await remove({ email: ` ${person.email.toUpperCase()}` })).toContain(`${person.userId} has no second factor`);
      expect((await logIn(person.email)).status).toBe(200);
    } finally {
      await postgres.close();
    }
  });
});
