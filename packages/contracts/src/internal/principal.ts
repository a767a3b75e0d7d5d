/** The claims of the token that one service shows another: who asks, for whom, and what that one may do. */
import { z } from 'zod';
import { organizationId, userId } from '../ids.ts';
import { services } from '../services.ts';

export const principalClaims = z.object({
  iss: z.enum(services),
  aud: z.enum(services),
  iat: z.number().int(),
  exp: z.number().int(),
  /** The user's or key's id, `anonymous` on public routes, `system` where a service acts by itself. */
  sub: z.string(),
  kind: z.enum(['user', 'apiKey', 'anonymous', 'system']),
  /** Absent only for `anonymous`, and for `system` where the call is about no organization. */
  org: organizationId.optional(),
  scopes: z.array(z.string()),
  role: z.string().optional(),
  /** Of an API key: the user who answers for it, because it was created by that user or by a key of that user. */
  own: userId.optional(),
  /** The session behind an access token. */
  sid: z.string().optional(),
  /** The client's address as the gateway sees it. */
  ip: z.string().optional(),
});
export type PrincipalClaims = z.infer<typeof principalClaims>;
