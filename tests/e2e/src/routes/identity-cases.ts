import { createHmac } from 'node:crypto';
import { type Client, client, waitFor } from '@settler/harness';
import { must, type Party } from '../party.ts';
import { type Cases, conflict, invalid, missing, nobodys, type Refusal, type Setting, type Wanted } from './case.ts';

const invented = (() => {
  let count = 0;
  return (): string => {
    count += 1;
    return `invented-${count}@example.com`;
  };
})();

const password = 'a password of several words';
const registration = (email: string) => ({ email, password, organizationName: 'Invented' });
const loginAs = (body: object): Wanted => ({ path: '/v1/auth/login', body, as: 'anonymous' });
const refreshWith = (body: object): Wanted => ({ path: '/v1/auth/refresh', body, as: 'anonymous' });
const unauthenticated = (what: string, ask: Refusal['ask']): Refusal => ({ what, status: 401, code: 'unauthenticated', ask });
const newApiKey = async ({ user }: Party): Promise<string> =>
  (await must(201, user.post('/v1/api-keys', { name: 'spare', scopes: ['jobs:read'] }))).id;

const revokedApiKey = async (party: Party): Promise<string> => {
  const id = await newApiKey(party);
  await must(204, party.user.delete(`/v1/api-keys/${id}`));
  return id;
};

const sessionOf = (accessToken: string): string => JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()).sid;

/** With the password that everybody has, whatever was done to it before. */
const passwordChange = async ({ email, spareEmail }: Party, { databases }: Setting, more: object = {}): Promise<Wanted> => {
  const take = 'update users set password_hash = (select password_hash from users where email = $1) where email = $2';
  await databases.rows('identity', take, [email, spareEmail]);
  const body = { currentPassword: password, newPassword: 'a quite different password', ...more };
  return { path: '/v1/me/password', body, as: 'spare' };
};

const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** What an authenticator with this secret shows now: RFC 6238. */
const totpOf = (secret: string): string => {
  const bits = [...secret].map((letter) => base32.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac('sha1', key).update(step).digest();
  return String((digest.readUInt32BE((digest.at(-1) ?? 0) & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
};

/** Without a second factor, whatever was done to it before. */
const withoutTotp = async ({ spareEmail }: Party, { databases }: Setting): Promise<void> => {
  await databases.rows('identity', 'delete from totp_secrets where id = (select id from users where email = $1)', [spareEmail]);
};
const newTotpSecret = async (party: Party, setting: Setting): Promise<string> => {
  await withoutTotp(party, setting);
  return (await must(200, party.spare.post('/v1/me/totp'))).secret;
};
const totpConfirmation = async (party: Party, setting: Setting, more: object = {}): Promise<Wanted> => ({
  path: '/v1/me/totp/confirm',
  body: { code: totpOf(await newTotpSecret(party, setting)), ...more },
  as: 'spare',
});
/** With one that is on, and all that turns it off. */
const totpRemoval = async (party: Party, setting: Setting, more: object = {}): Promise<Wanted> => {
  await passwordChange(party, setting);
  const code = totpOf(await newTotpSecret(party, setting));
  const { recoveryCodes } = await must(200, party.spare.post('/v1/me/totp/confirm', { code }));
  return { path: '/v1/me/totp', body: { password, code: recoveryCodes[0], ...more }, as: 'spare' };
};

/** With a token as a mail would bring it: what is kept of one is its hash. */
const passwordReset = async ({ url, databases }: Setting, more: object = {}): Promise<Wanted> => {
  const email = invented();
  await must(201, client(url).post('/v1/auth/register', registration(email)));
  const token = `spr_${email}`;
  const keep = `insert into password_resets (token_hash, user_id, expires_at)
    select sha256($1::bytea), id, now() + interval '1 hour' from users where email = $2`;
  await databases.rows('identity', keep, [token, email]);
  return { path: '/v1/auth/password/reset', body: { token, password: 'a quite different password', ...more }, as: 'anonymous' };
};

const forbidden = (what: string, ask: Refusal['ask']): Refusal => ({ what, status: 403, code: 'forbidden', ask });
const ownPlace = async ({ user }: Party): Promise<string> => `/v1/members/${(await must(200, user.get('/v1/me'))).id}`;

/** Somebody of no importance, who has just joined this party. */
const newMember = async ({ organizationId }: Party, { url, databases }: Setting): Promise<string> => {
  const { user } = await must(201, client(url).post('/v1/auth/register', registration(invented())));
  const join = `insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, 'developer', now())`;
  await databases.rows('identity', join, [organizationId, user.id]);
  return user.id;
};

/** An organization of somebody else's, which the user of this party has just joined. */
const joined = async ({ user }: Party, { url, databases }: Setting): Promise<string> => {
  const { organization } = await must(201, client(url).post('/v1/auth/register', registration(invented())));
  const { id } = await must(200, user.get('/v1/me'));
  const join = `insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, 'viewer', now())`;
  await databases.rows('identity', join, [organization.id, id]);
  return `/v1/me/organizations/${organization.id}`;
};

const invitationOf = async ({ user }: Party): Promise<string> =>
  `/v1/invitations/${(await must(201, user.post('/v1/invitations', { email: invented(), role: 'viewer' }))).id}`;

/** With a token as a mail would bring it: what is kept of one is its hash. */
const acceptance = async ({ user }: Party, { databases }: Setting, more: object = {}, email = invented()): Promise<Wanted> => {
  const { id } = await must(201, user.post('/v1/invitations', { email, role: 'viewer' }));
  const token = `siv_${id}`;
  await databases.rows('identity', 'update invitations set token_hash = sha256($1::bytea) where id = $2', [token, id]);
  return { path: '/v1/invitations/accept', body: { token, password, ...more }, as: 'anonymous' };
};

/** Somebody who was a member of something once, and is of nothing now. Returns the address. */
const leaver = async ({ url, databases }: Setting, before: (own: Client) => Promise<void> = async () => {}): Promise<string> => {
  const email = invented();
  const { user, accessToken } = await must(201, client(url).post('/v1/auth/register', registration(email)));
  await before(client(url, { token: accessToken }));
  await databases.rows('identity', 'delete from memberships where user_id = $1', [user.id]);
  return email;
};
const turnTotpOn = async (own: Client): Promise<void> => {
  const { secret } = await must(200, own.post('/v1/me/totp'));
  await must(200, own.post('/v1/me/totp/confirm', { code: totpOf(secret) }));
};

const besieged = async ({ ours }: Setting): Promise<Wanted> => {
  const wanted = loginAs({ email: invented(), password: 'a guess' });
  for (let guess = 0; guess < 10; guess += 1) await must(401, ours.anonymous.post(wanted.path, wanted.body));
  return wanted;
};

export const identityCases = {
  register: {
    status: 201,
    ask: () => ({ path: '/v1/auth/register', body: registration(invented()), as: 'anonymous' }),
    otherBody: (body) => ({ ...body, organizationName: 'Otherwise' }),
    refusals: [
      conflict('an address that is taken', ({ ours }) => ({
        path: '/v1/auth/register',
        body: registration(ours.email),
        as: 'anonymous',
      })),
      unauthenticated('an account of no organization with a second factor, without a code of it', async (setting) => ({
        path: '/v1/auth/register',
        body: registration(await leaver(setting, turnTotpOn)),
        as: 'anonymous',
      })),
      invalid('a password that is too short', 'password', () => ({
        path: '/v1/auth/register',
        body: { ...registration(invented()), password: 'short' },
        as: 'anonymous',
      })),
      invalid('an address that is none', 'email', () => ({ path: '/v1/auth/register', body: registration('@example'), as: 'anonymous' })),
    ],
  },
  login: {
    status: 200,
    ask: ({ email }) => loginAs({ email, password }),
    otherBody: (body) => ({ ...body, password: 'another password of several words' }),
    refusals: [
      unauthenticated('a wrong password', ({ ours }) => loginAs({ email: ours.email, password: 'not the password at all' })),
      unauthenticated('an address that nobody has', () => loginAs({ email: invented(), password: 'not the password at all' })),
      missing("another's organization", ({ ours, theirs }) =>
        loginAs({ email: ours.email, password, organizationId: theirs.organizationId }),
      ),
      missing("nobody's organization", ({ ours }) => loginAs({ email: ours.email, password, organizationId: nobodys('org') })),
      {
        what: 'being a member of nothing',
        status: 403,
        code: 'forbidden',
        ask: async (setting) => loginAs({ email: await leaver(setting), password }),
      },
      { what: 'ten guesses before it', status: 429, code: 'rate_limited', ask: besieged },
    ],
  },
  refresh: {
    status: 200,
    ask: async ({ logIn }) => refreshWith({ refreshToken: (await logIn()).refreshToken }),
    otherBody: (body) => ({ ...body, organizationId: nobodys('org') }),
    refusals: [
      unauthenticated('a token that never was', () => refreshWith({ refreshToken: 'str_nothing' })),
      unauthenticated('the token of a session that was ended', async ({ ours }) => {
        const { refreshToken } = await ours.logIn();
        await must(204, ours.key.post('/v1/auth/logout', { refreshToken }));
        return refreshWith({ refreshToken });
      }),
      missing("another's organization", async ({ ours, theirs }) =>
        refreshWith({ refreshToken: (await ours.logIn()).refreshToken, organizationId: theirs.organizationId }),
      ),
    ],
  },
  logout: {
    status: 204,
    ask: async ({ logIn }) => ({ path: '/v1/auth/logout', body: { refreshToken: (await logIn()).refreshToken } }),
    otherBody: () => ({ refreshToken: 'another' }),
  },
  readMe: { status: 200, ask: () => ({ path: '/v1/me' }), isFromMemory: true },
  listMyOrganizations: { status: 200, ask: () => ({ path: '/v1/me/organizations', as: 'user' }) },
  leaveOrganization: {
    status: 204,
    ask: async (party, setting) => ({ path: await joined(party, setting), as: 'user' }),
    refusals: [conflict('being its last owner', ({ ours }) => ({ path: `/v1/me/organizations/${ours.organizationId}`, as: 'user' }))],
  },
  listMySessions: { status: 200, ask: () => ({ path: '/v1/me/sessions', as: 'user' }) },
  endMySession: {
    status: 204,
    ask: async ({ logIn }) => ({ path: `/v1/me/sessions/${sessionOf((await logIn()).accessToken)}`, as: 'user' }),
  },
  changePassword: {
    status: 204,
    ask: (party, setting) => passwordChange(party, setting),
    otherBody: (body) => ({ ...body, newPassword: 'yet another new password' }),
    refusals: [
      unauthenticated('a wrong password', (setting) =>
        passwordChange(setting.ours, setting, { currentPassword: 'not the password at all' }),
      ),
      invalid('a new one that is too short', 'newPassword', (setting) => passwordChange(setting.ours, setting, { newPassword: 'short' })),
      invalid('the same one', 'newPassword', (setting) => passwordChange(setting.ours, setting, { newPassword: password })),
    ],
  },
  setUpTotp: {
    status: 200,
    ask: async (party, setting) => {
      await withoutTotp(party, setting);
      return { path: '/v1/me/totp', as: 'spare' };
    },
    otherBody: () => ({ password }),
    refusals: [
      unauthenticated('a wrong password', async (setting) => {
        await withoutTotp(setting.ours, setting);
        return { path: '/v1/me/totp', body: { password: 'not the password at all' }, as: 'spare' };
      }),
      conflict('one that is on', async (setting) => {
        await totpRemoval(setting.ours, setting);
        return { path: '/v1/me/totp', as: 'spare' };
      }),
    ],
  },
  confirmTotp: {
    status: 200,
    ask: (party, setting) => totpConfirmation(party, setting),
    otherBody: () => ({ code: '000000' }),
    refusals: [
      unauthenticated('a code that is none', (setting) => totpConfirmation(setting.ours, setting, { code: 'guess' })),
      conflict('nothing to confirm', async (setting) => {
        await withoutTotp(setting.ours, setting);
        return { path: '/v1/me/totp/confirm', body: { code: '000000' }, as: 'spare' };
      }),
    ],
  },
  removeTotp: {
    status: 204,
    ask: (party, setting) => totpRemoval(party, setting),
    refusals: [
      unauthenticated('a code that is none', (setting) => totpRemoval(setting.ours, setting, { code: 'guess' })),
      unauthenticated('a wrong password', (setting) => totpRemoval(setting.ours, setting, { password: 'not the password at all' })),
      missing('nothing to turn off', async (setting) => {
        const wanted = await totpRemoval(setting.ours, setting);
        await withoutTotp(setting.ours, setting);
        return wanted;
      }),
    ],
  },
  forgetPassword: {
    status: 202,
    ask: () => ({ path: '/v1/auth/password/forgot', body: { email: invented() }, as: 'anonymous' }),
    // The same address, or it would be under another key; written otherwise, it is another body.
    otherBody: (body) => ({ email: (body as { email: string }).email.toUpperCase() }),
    refusals: [
      invalid('an address that is none', 'email', () => ({
        path: '/v1/auth/password/forgot',
        body: { email: '@example' },
        as: 'anonymous',
      })),
    ],
  },
  resetPassword: {
    status: 204,
    ask: (_party, setting) => passwordReset(setting),
    otherBody: (body) => ({ ...body, password: 'yet another new password' }),
    refusals: [
      invalid('a token that never was', 'token', (setting) => passwordReset(setting, { token: 'spr_nothing' })),
      invalid('a password that is too short', 'password', (setting) => passwordReset(setting, { password: 'short' })),
    ],
  },
  readOrganization: { status: 200, ask: () => ({ path: '/v1/organization' }) },
  updateOrganization: {
    status: 200,
    ask: () => ({ path: '/v1/organization', body: { name: 'Renamed' } }),
    otherBody: () => ({ name: 'Otherwise' }),
    refusals: [
      invalid('no change', '', () => ({ path: '/v1/organization', body: {} })),
      invalid('a currency that is none', 'baseCurrency', () => ({ path: '/v1/organization', body: { baseCurrency: 'euro' } })),
    ],
  },
  listMembers: { status: 200, ask: () => ({ path: '/v1/members' }) },
  updateMember: {
    status: 200,
    ask: async (party, setting) => ({ path: `/v1/members/${await newMember(party, setting)}`, body: { role: 'viewer' } }),
    otherBody: () => ({ role: 'developer' }),
    refusals: [
      invalid('no change', '', async (setting) => ({ path: `/v1/members/${await newMember(setting.ours, setting)}`, body: {} })),
      invalid('a role that there is not', 'role', async (setting) => ({
        path: `/v1/members/${await newMember(setting.ours, setting)}`,
        body: { role: 'emperor' },
      })),
      conflict('the last owner', async ({ ours }) => ({ path: await ownPlace(ours), body: { role: 'admin' }, as: 'user' })),
      forbidden('an owner, with a key', async ({ ours }) => ({ path: await ownPlace(ours), body: { role: 'admin' } })),
      forbidden('making an owner, with a key', async (setting) => ({
        path: `/v1/members/${await newMember(setting.ours, setting)}`,
        body: { role: 'owner' },
      })),
    ],
  },
  removeMember: {
    status: 204,
    ask: async (party, setting) => ({ path: `/v1/members/${await newMember(party, setting)}` }),
    refusals: [
      conflict('the last owner', async ({ ours }) => ({ path: await ownPlace(ours), as: 'user' })),
      forbidden('an owner, with a key', async ({ ours }) => ({ path: await ownPlace(ours) })),
    ],
  },
  exportMember: {
    status: 200,
    ask: async (party, setting) => ({ path: `/v1/members/${await newMember(party, setting)}/export` }),
  },
  eraseMember: {
    status: 202,
    ask: async (party, setting) => ({ path: `/v1/members/${await newMember(party, setting)}/personal-data` }),
    refusals: [
      conflict('the last owner', async ({ ours }) => ({ path: `${await ownPlace(ours)}/personal-data`, as: 'user' })),
      forbidden('an owner, with a key', async ({ ours }) => ({ path: `${await ownPlace(ours)}/personal-data` })),
    ],
  },
  readErasure: {
    status: 200,
    ask: async (party, setting) => {
      const { id } = await must(202, party.user.delete(`/v1/members/${await newMember(party, setting)}/personal-data`));
      const path = `/v1/erasures/${id}`;
      await waitFor(async () => (await party.user.get(path)).body.status === 'completed', { what: 'every service to answer' });
      return { path };
    },
  },
  inviteMember: {
    status: 201,
    ask: () => ({ path: '/v1/invitations', body: { email: invented(), role: 'viewer' } }),
    otherBody: (body) => ({ ...body, role: 'developer' }),
    refusals: [
      invalid('an address that is none', 'email', () => ({ path: '/v1/invitations', body: { email: '@example', role: 'viewer' } })),
      invalid('a role that there is not', 'role', () => ({ path: '/v1/invitations', body: { email: invented(), role: 'emperor' } })),
      conflict('the address of a member', ({ ours }) => ({ path: '/v1/invitations', body: { email: ours.email, role: 'viewer' } })),
      forbidden('an owner to be, with a key', () => ({ path: '/v1/invitations', body: { email: invented(), role: 'owner' } })),
    ],
  },
  listInvitations: { status: 200, ask: () => ({ path: '/v1/invitations' }) },
  readInvitation: { status: 200, ask: async (party) => ({ path: await invitationOf(party) }) },
  withdrawInvitation: { status: 204, ask: async (party) => ({ path: await invitationOf(party) }) },
  acceptInvitation: {
    status: 200,
    ask: (party, setting) => acceptance(party, setting),
    otherBody: (body) => ({ ...body, name: 'Otherwise' }),
    refusals: [
      invalid('a token that never was', 'token', (setting) => acceptance(setting.ours, setting, { token: 'siv_nothing' })),
      invalid('a password that is too short', 'password', (setting) => acceptance(setting.ours, setting, { password: 'short' })),
      unauthenticated('a password that is not that of the account', (setting) =>
        acceptance(setting.ours, setting, { password: 'not the password at all' }, setting.ours.spareEmail),
      ),
    ],
  },
  createApiKey: {
    status: 201,
    ask: () => ({ path: '/v1/api-keys', body: { name: 'one', scopes: ['jobs:read'] } }),
    otherBody: (body) => ({ ...body, name: 'two' }),
    refusals: [
      invalid('a scope that does not exist', 'scopes[0]', () => ({ path: '/v1/api-keys', body: { name: 'one', scopes: ['jobs:fly'] } })),
      invalid('an end in the past', 'expiresAt', () => ({
        path: '/v1/api-keys',
        body: { name: 'one', scopes: ['jobs:read'], expiresAt: '2020-01-01T00:00:00.000Z' },
      })),
      invalid('an address that is none', 'allowedIps[0]', () => ({
        path: '/v1/api-keys',
        body: { name: 'one', scopes: ['jobs:read'], allowedIps: ['300.1.2.3'] },
      })),
    ],
  },
  listApiKeys: { status: 200, ask: () => ({ path: '/v1/api-keys' }) },
  readApiKey: { status: 200, ask: ({ apiKeyId }) => ({ path: `/v1/api-keys/${apiKeyId}` }) },
  updateApiKey: {
    status: 200,
    ask: async (party) => ({ path: `/v1/api-keys/${await newApiKey(party)}`, body: { name: 'renamed' } }),
    otherBody: () => ({ name: 'otherwise' }),
    refusals: [
      invalid('no change', '', async ({ ours }) => ({ path: `/v1/api-keys/${ours.apiKeyId}`, body: {} })),
      invalid('an end in the past', 'expiresAt', async ({ ours }) => ({
        path: `/v1/api-keys/${ours.apiKeyId}`,
        body: { expiresAt: '2020-01-01T00:00:00.000Z' },
      })),
      conflict('a key that is revoked', async ({ ours }) => ({
        path: `/v1/api-keys/${await revokedApiKey(ours)}`,
        body: { name: 'renamed' },
      })),
    ],
  },
  rotateApiKey: {
    status: 201,
    ask: async (party) => ({ path: `/v1/api-keys/${await newApiKey(party)}/rotate`, body: { graceSeconds: 60 } }),
    otherBody: () => ({ graceSeconds: 61 }),
    refusals: [
      invalid('a grace of a month', 'graceSeconds', async ({ ours }) => ({
        path: `/v1/api-keys/${await newApiKey(ours)}/rotate`,
        body: { graceSeconds: 2_592_000 },
      })),
      conflict('a key that is revoked', async ({ ours }) => ({ path: `/v1/api-keys/${await revokedApiKey(ours)}/rotate`, body: {} })),
    ],
  },
  revokeApiKey: { status: 204, ask: async (party) => ({ path: `/v1/api-keys/${await newApiKey(party)}` }) },
  listAuditEvents: {
    status: 200,
    ask: () => ({ path: '/v1/audit-events' }),
    refusals: [invalid('a day that does not exist', 'since', () => ({ path: '/v1/audit-events?since=2026-02-30T00:00:00Z' }))],
  },
  verifyAuditTrail: {
    status: 200,
    ask: () => ({ path: '/v1/audit-events/verify?from=checkpoint' }),
    refusals: [invalid('somewhere else to begin', 'from', () => ({ path: '/v1/audit-events/verify?from=end' }))],
  },
  readKeySet: { status: 200, ask: () => ({ path: '/.well-known/jwks.json', as: 'anonymous' }), isFromMemory: true },
} satisfies Cases;
