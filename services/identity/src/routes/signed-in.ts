/** The answer of every route that logs somebody in. */
import type { Answer } from '@settler/chassis/answer';
import { userId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { SignAccessToken, SignedIn } from '../application/ports.ts';
import { organizationAnswer, organizationView } from './shapes.ts';

// Absent in a replay, where they are not shown again.
const tokens = {
  accessToken: z.string().optional().describe('For `Authorization: Bearer …`. Shown this once: a replay leaves it out.'),
  refreshToken: z.string().optional().describe('For `POST /v1/auth/refresh`, which takes it once. Shown this once.'),
  expiresIn: z.int().describe('Seconds until the access token ends: 900, or fewer where the session ends before.'),
  tokenType: z.literal('Bearer').describe('How the access token is sent.'),
};
export const tokensAnswer = z.object(tokens).meta({ id: 'Tokens' });
export const signedInAnswer = z
  .object({
    user: z
      .object({ id: userId, email: z.string().describe('In small letters.'), name: z.string().nullable().describe('For people.') })
      .describe('Who has logged in.'),
    organization: organizationAnswer.describe('The one that the tokens are of.'),
    ...tokens,
  })
  .meta({ id: 'SignedIn' });

export interface SignedInViews {
  readonly tokens: (signedIn: SignedIn) => Promise<Answer>;
  readonly whole: (status: number, signedIn: SignedIn) => Promise<Answer>;
}

export const createSignedInViews = (accessToken: SignAccessToken): SignedInViews => {
  const headers = { 'cache-control': 'no-store' };
  const tokensOf = async ({ grant, refreshToken }: SignedIn) => {
    const { token, seconds } = await accessToken(grant);
    return { accessToken: token, refreshToken, expiresIn: seconds, tokenType: 'Bearer' };
  };
  return {
    tokens: async (signedIn) => ({ status: 200, headers, body: await tokensOf(signedIn) }),
    whole: async (status, signedIn) => {
      const { user, organization } = signedIn;
      return { status, headers, body: { user, organization: organizationView(organization), ...(await tokensOf(signedIn)) } };
    },
  };
};
