import type { Endpoints } from '@settler/chassis/endpoint';
import { organizationId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { logIn } from '../application/commands/log-in.ts';
import type { register } from '../application/commands/register.ts';
import type { SessionStore } from '../application/ports.ts';
import { email, password, text, totp } from './shapes.ts';
import { type SignedInViews, signedInAnswer, tokensAnswer } from './signed-in.ts';

export interface AuthNeeds {
  readonly register: ReturnType<typeof register>;
  readonly logIn: ReturnType<typeof logIn>;
  readonly sessions: SessionStore;
  readonly views: SignedInViews;
  /** What an Idempotency-Key is scoped to where nobody is logged in yet: an HMAC, because it is kept. */
  readonly idempotencyScope: (subject: string) => string;
}

const refreshToken = z.string().min(1).max(200);

const registerBody = z.strictObject({
  email,
  password,
  organizationName: text(200),
  name: text(200).optional(),
  totp: totp.optional().describe('Where the address has an account with a second factor that is a member of no organization any more.'),
});
const loginBody = z.strictObject({
  email,
  password,
  organizationId: organizationId.optional(),
  totp: totp.optional().describe('Where the account has a second factor: a code of it, or a recovery code.'),
});
const refreshBody = z.strictObject({ refreshToken, organizationId: organizationId.optional() });
const logoutBody = z.strictObject({ refreshToken });

export const authRoutes = (endpoint: Endpoints['endpoint'], needs: AuthNeeds): void => {
  const { register, logIn, sessions, views, idempotencyScope } = needs;

  endpoint('register', {
    refuses: [401],
    body: registerBody,
    answers: { 201: signedInAnswer },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body: { name = null, ...body }, address }) => register.admit({ totp: undefined, ...body, name, address }),
    handle: async ({ body: { name = null, ...body }, address }, admitted) =>
      views.whole(201, await register.complete({ totp: undefined, ...body, name, address }, admitted)),
  });

  endpoint('login', {
    refuses: [401, 403, 404],
    body: loginBody,
    answers: { 200: signedInAnswer },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body, address }) => logIn.authenticate({ organizationId: undefined, totp: undefined, ...body, address }),
    handle: async ({ body, address }, account) =>
      views.whole(200, await logIn.begin({ organizationId: undefined, totp: undefined, ...body, address }, account)),
  });

  endpoint('refresh', {
    refuses: [401, 404],
    body: refreshBody,
    answers: { 200: tokensAnswer },
    idempotencyScope: (body) => idempotencyScope(body.refreshToken),
    // Before the exchange and apart from it: a session that has to end must end although this request is refused.
    prepare: ({ body, address }) => sessions.endIfReused(body.refreshToken, address),
    handle: async ({ body, address }) => views.tokens(await sessions.refresh(body.refreshToken, body.organizationId, address)),
  });

  endpoint('logout', {
    body: logoutBody,
    answers: { 204: null },
    handle: async ({ body, principal, address }) => {
      await sessions.end(body.refreshToken, { principal, address });
      return { status: 204 };
    },
  });
};
