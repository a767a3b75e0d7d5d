import type { Endpoints } from '@settler/chassis/endpoint';
import { organizationId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { logIn } from '../application/commands/log-in.ts';
import type { register } from '../application/commands/register.ts';
import type { SessionStore } from '../application/ports.ts';
import { logins, logouts, refreshes, registrations, signedIn, tokens } from './examples.ts';
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

const refreshToken = z.string().min(1).max(200).describe('The newest refresh token of the session.');

const registerBody = z.strictObject({
  email,
  password,
  organizationName: text(200).describe('Of the new organization; it need not be unique.'),
  name: text(200).optional().describe('Of the user, for people.'),
  totp: totp.optional().describe('Where the address has an account with a second factor that is a member of no organization any more.'),
});
const loginBody = z.strictObject({
  email,
  password,
  organizationId: organizationId.optional().describe('Where the user is a member of several; without it the one that was joined last.'),
  totp: totp.optional().describe('Where the account has a second factor: a code of it, or a recovery code.'),
});
const refreshBody = z.strictObject({
  refreshToken,
  organizationId: organizationId.optional().describe('To go on in another organization of the user.'),
});
const logoutBody = z.strictObject({ refreshToken });

interface Attempt {
  readonly body: { readonly email: string };
  readonly address: string | null;
}
const whose = ({ body: { email }, address }: Attempt) => ({ email, address });

export const authRoutes = (endpoint: Endpoints['endpoint'], needs: AuthNeeds): void => {
  const { register, logIn, sessions, views, idempotencyScope } = needs;
  /** Another password under a known key is a guess as any other. */
  const againstGuesses = {
    beforeReplay: (attempt: Attempt) => logIn.mayTry(whose(attempt)),
    onReused: (attempt: Attempt) => logIn.guessed(whose(attempt)),
  };

  endpoint('register', {
    description:
      'Makes an account, an organization whose owner it is, and a session. An address that has an account is a `conflict`: log in instead. An account that is a member of no organization any more founds another one with its password. Failures are counted as those of a login are: `rate_limited`.',
    refuses: [401],
    body: registerBody,
    answers: { 201: signedInAnswer },
    examples: { bodies: registrations, answers: { 201: signedIn } },
    idempotencyScope: (body) => idempotencyScope(body.email),
    ...againstGuesses,
    prepare: ({ body: { name = null, ...body }, address }) => register.admit({ totp: undefined, ...body, name, address }),
    handle: async ({ body: { name = null, ...body }, address }, admitted) =>
      views.whole(201, await register.complete({ totp: undefined, ...body, name, address }, admitted)),
  });

  endpoint('login', {
    description:
      'Begins a session. A wrong password and an unknown address are the same `unauthenticated`; so is a missing or wrong code of the second factor, and its `detail` says which. `forbidden` where no organization lets the user in, `not_found` where the one that is named does not. After 10 failures of an account, or 100 of an address, in 15 minutes: `rate_limited`.',
    refuses: [401, 403, 404],
    body: loginBody,
    answers: { 200: signedInAnswer },
    examples: { bodies: logins, answers: { 200: signedIn } },
    idempotencyScope: (body) => idempotencyScope(body.email),
    ...againstGuesses,
    prepare: ({ body, address }) => logIn.authenticate({ organizationId: undefined, totp: undefined, ...body, address }),
    handle: async ({ body, address }, account) =>
      views.whole(200, await logIn.begin({ organizationId: undefined, totp: undefined, ...body, address }, account)),
  });

  endpoint('refresh', {
    description:
      'Each refresh token is exchanged once. The one before the newest gives the same successor again for some seconds, since answers are lost; an older one is in two hands, and ends the session with its access tokens: `unauthenticated`. A session lasts 7 days at most, however often it is refreshed.',
    refuses: [401, 404],
    body: refreshBody,
    answers: { 200: tokensAnswer },
    examples: { bodies: refreshes, answers: { 200: tokens } },
    idempotencyScope: (body) => idempotencyScope(body.refreshToken),
    // Before the exchange and apart from it: a session that has to end must end although this request is refused.
    prepare: ({ body, address }) => sessions.endIfReused(body.refreshToken, address),
    handle: async ({ body, address }) => views.tokens(await sessions.refresh(body.refreshToken, body.organizationId, address)),
  });

  endpoint('logout', {
    description:
      'Ends the session of the refresh token, and its access tokens with it, whoever has the token. The audit trail names who did it, unless it is somebody of another organization. A token that is none, or of a session that has ended, is no fault.',
    body: logoutBody,
    answers: { 204: null },
    examples: { bodies: logouts },
    handle: async ({ body, principal, address }) => {
      await sessions.end(body.refreshToken, { principal, address });
      return { status: 204 };
    },
  });
};
