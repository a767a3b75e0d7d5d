/** Accounts, members and keys as the reference shows them. Passwords, keys and tokens in it are nobody's. */

const user = { id: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6', email: 'ada@nordwind.example', name: 'Ada Byron' } as const;
const password = 'correct horse battery staple';

export const organization = {
  id: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  name: 'Nordwind GmbH',
  slug: 'nordwind-gmbh',
  baseCurrency: 'EUR',
  createdAt: '2026-04-01T09:00:00.000Z',
} as const;

export const tokens = {
  accessToken: 'eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJzdWIiOiJ1c3JfMDEifQ.c2lnbmF0dXJl',
  refreshToken: 'srt_Zq3kX0b1h7sR2m9tV5yC8nQ4wE6uA',
  expiresIn: 900,
  tokenType: 'Bearer',
} as const;
export const signedIn = { user, organization, ...tokens } as const;

export const registrations = {
  'An organization and its owner': { email: user.email, password, organizationName: organization.name, name: user.name },
} as const;
export const logins = {
  'With a password': { email: user.email, password },
  'With a second factor, into one of several organizations': {
    email: user.email,
    password,
    totp: '492039',
    organizationId: organization.id,
  },
} as const;
export const refreshes = {
  'A new pair': { refreshToken: tokens.refreshToken },
  'Into another organization': { refreshToken: tokens.refreshToken, organizationId: organization.id },
} as const;
export const logouts = { 'The session of a token': { refreshToken: tokens.refreshToken } } as const;

export const passwordChanges = { 'A new one': { currentPassword: password, newPassword: 'several quite ordinary words' } } as const;
export const forgottenPasswords = { 'By address': { email: user.email } } as const;
export const passwordResets = {
  'With the token of the mail': { token: 'spr_Zq3kX0b1h7sR2m9tV5yC8nQ4wE6uA', password: 'several quite ordinary words' },
} as const;
export const totpBeginnings = { 'Some time after the login': { password } } as const;
export const totpConfirmations = { 'The first code': { code: '492039' } } as const;
export const totpRemovals = {
  'With a code': { password, code: '492039' },
  'With a recovery code': { password, code: 'k7m2-9xqd-4r8t' },
} as const;

export const organizationChanges = { 'Name and currency': { name: 'Nordwind Handels GmbH', baseCurrency: 'EUR' } } as const;

export const member = {
  userId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d7',
  email: 'grace@nordwind.example',
  name: 'Grace Murray',
  role: 'developer',
  disabled: false,
  createdAt: '2026-04-02T10:00:00.000Z',
} as const;
export const memberChanges = { 'Another role': { role: 'developer' }, 'Shut out for a while': { disabled: true } } as const;

export const invitations = { 'A developer': { email: member.email, role: 'developer' } } as const;
export const invitation = {
  id: 'inv_01jqv8m0c4e7r9t2w5y8a1b3d6',
  email: member.email,
  role: 'developer',
  expiresAt: '2026-04-03T09:30:00.000Z',
  createdAt: '2026-04-01T09:30:00.000Z',
  invitedBy: { type: 'user', id: user.id },
} as const;
export const acceptances = {
  'With a new account': { token: 'siv_Zq3kX0b1h7sR2m9tV5yC8nQ4wE6uA', password, name: member.name },
  'With the account there is': { token: 'siv_Zq3kX0b1h7sR2m9tV5yC8nQ4wE6uA', password, totp: '492039' },
} as const;

export const newApiKeys = {
  'For a program that runs jobs': { name: 'nightly runs', scopes: ['jobs:execute', 'executions:read', 'files:write'] },
  'For one network, with a limit and an end': {
    name: 'dashboard',
    scopes: ['reports:read', 'exceptions:read'],
    rateLimit: { limit: 600, windowMs: 60_000 },
    expiresAt: '2030-01-01T00:00:00Z',
    allowedIps: ['192.0.2.0/24', '2001:db8::/32'],
  },
} as const;
export const apiKeyChanges = {
  'Fewer scopes': { scopes: ['executions:read'] },
  'Without a limit of its own': { rateLimit: null },
} as const;
export const apiKeyRotations = { 'A day for both': {}, 'The old one was seen by somebody': { graceSeconds: 0 } } as const;
export const apiKey = {
  id: 'key_01jqv8m0c4e7r9t2w5y8a1b3d6',
  name: 'nightly runs',
  prefix: 'stl_live_7QmX2kPd',
  scopes: ['jobs:execute', 'executions:read', 'files:write'],
  status: 'active',
  rateLimit: null,
  expiresAt: null,
  allowedIps: [],
  createdBy: { type: 'user', id: user.id },
  ownerId: user.id,
  successorId: null,
  createdAt: '2026-04-01T09:30:00.000Z',
  lastUsedAt: '2026-04-02T04:30:00.000Z',
  revokedAt: null,
} as const;
export const newApiKey = { ...apiKey, lastUsedAt: null, key: 'stl_live_7QmX2kPd_n0b0dys5ecretn0b0dys5ecretn0b0dys5ecret' } as const;

export const auditEntry = {
  id: 'aud_01jqv8m0c4e7r9t2w5y8a1b3d6',
  at: '2026-04-01T09:30:00.000Z',
  actor: { type: 'user', id: user.id },
  address: '192.0.2.7',
  action: 'job.created',
  resource: { type: 'job', id: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6' },
  after: { name: 'Shop orders against card payments', version: 1 },
  hash: '6b1d5c0e2f7a4938b6c1d0e9f8a7b6c5d4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9',
} as const;
export const auditVerdict = { valid: true, entries: 1_204 } as const;
