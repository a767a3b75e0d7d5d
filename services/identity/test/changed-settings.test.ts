/** What an operator changes of sessions, which those that are open by then meet too. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Identity, password, startIdentity } from './setup.ts';

let identity: Identity;
beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity.dispose());

test('another secret ends every session, and who logs in anew has one: where its tokens can be computed with the one before, it is over', async () => {
  const person = await identity.register();
  const later = await identity.replica({ IDENTITY_SECRET: randomBytes(32).toString('base64') });
  const refresh = (refreshToken: string) => later.post('/v1/auth/refresh', { refreshToken });

  expect((await refresh(person.refreshToken)).status).toBe(401);
  const { body } = await later.post('/v1/auth/login', { email: person.email, password });
  expect((await refresh(body.refreshToken)).status).toBe(200);
});

test('sessions that are shorter than an access token have none that outlives them, from the first on', async () => {
  const person = await identity.register();
  const brief = await identity.replica({ REFRESH_LIFETIME_MS: '120000' });
  const begun = await Promise.all([
    brief.post('/v1/auth/login', { email: person.email, password }),
    brief.post('/v1/auth/register', { email: 'brief@example.com', password, organizationName: 'Brief' }),
  ]);
  for (const { body } of begun) {
    expect(body.expiresIn).toBeGreaterThan(60);
    expect(body.expiresIn).toBeLessThanOrEqual(120);
  }
});
