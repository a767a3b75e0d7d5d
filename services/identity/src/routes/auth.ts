import type { Answer } from '@settler/chassis/answer';
import type { Endpoints } from '@settler/chassis/endpoint';
import { organizationId, userId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { logIn } from '../application/commands/log-in.ts';
import type { register } from '../application/commands/register.ts';
import type { Grant, SessionStore, SignedIn } from '../application/ports.ts';
import { email, organizationAnswer, organizationView, password, text } from './shapes.ts';

export interface AuthNeeds {
  readonly register: ReturnType<typeof register>;
  readonly logIn: ReturnType<typeof logIn>;
  readonly sessions: SessionStore;
  readonly accessToken: (grant: Grant) => Promise<string>;
  readonly accessTokenSeconds: number;
  /** What an Idempotency-Key is scoped to where nobody is logged in yet: an HMAC, because it is kept. */
  readonly idempotencyScope: (subject: string) => string;
}

const refreshToken = z.string().min(1).max(200);

const registerBody = z.strictObject({ email, password, organizationName: text(200), name: text(200).optional() });
const loginBody = z.strictObject({
  email,
  password,
  organizationId: organizationId.optional(),
  totp: z.undefined({ error: 'one-time passwords are not supported in this version' }).optional(),
});
const refreshBody = z.strictObject({ refreshToken, organizationId: organizationId.optional() });
const logoutBody = z.strictObject({ refreshToken });

// Absent in a replay, where they are not shown again.
const tokens = {
  accessToken: z.string().optional(),
  refreshToken: z.string().optional(),
  expiresIn: z.int().describe('Seconds until the access token ends.'),
  tokenType: z.literal('Bearer'),
};
const tokensAnswer = z.object(tokens).meta({ id: 'Tokens' });
const signedInAnswer = z
  .object({
    user: z.object({ id: userId, email: z.string(), name: z.string().nullable() }),
    organization: organizationAnswer,
    ...tokens,
  })
  .meta({ id: 'SignedIn' });

export const authRoutes = (endpoint: Endpoints['endpoint'], needs: AuthNeeds): void => {
  const { register, logIn, sessions, accessToken, accessTokenSeconds, idempotencyScope } = needs;
  const headers = { 'cache-control': 'no-store' };
  const tokensOf = async ({ grant, refreshToken }: SignedIn) => ({
    accessToken: await accessToken(grant),
    refreshToken,
    expiresIn: accessTokenSeconds,
    tokenType: 'Bearer',
  });
  const answerOf = async (status: number, signedIn: SignedIn): Promise<Answer> => {
    const { user, organization } = signedIn;
    return { status, headers, body: { user, organization: organizationView(organization), ...(await tokensOf(signedIn)) } };
  };

  endpoint('register', {
    body: registerBody,
    answers: { 201: signedInAnswer },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body: { name = null, ...body }, address }) => register.admit({ ...body, name, address }),
    handle: async ({ body: { name = null, ...body }, address }, admitted) =>
      answerOf(201, await register.complete({ ...body, name, address }, admitted)),
  });

  endpoint('login', {
    refuses: [401, 403, 404],
    body: loginBody,
    answers: { 200: signedInAnswer },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body: { email, password, organizationId }, address }) => logIn.authenticate({ email, password, organizationId, address }),
    handle: async ({ body: { email, password, organizationId }, address }, account) =>
      answerOf(200, await logIn.begin({ email, password, organizationId, address }, account)),
  });

  endpoint('refresh', {
    refuses: [401, 404],
    body: refreshBody,
    answers: { 200: tokensAnswer },
    idempotencyScope: (body) => idempotencyScope(body.refreshToken),
    // Before the exchange and apart from it: a session that has to end must end although this request is refused.
    prepare: ({ body, address }) => sessions.endIfReused(body.refreshToken, address),
    handle: async ({ body }) => ({
      status: 200,
      headers,
      body: await tokensOf(await sessions.refresh(body.refreshToken, body.organizationId)),
    }),
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
