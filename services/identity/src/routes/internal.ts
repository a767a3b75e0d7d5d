/** What the gateway asks, and executions of members. The gateway never routes these to anybody, and nobody else may ask. */
import { hidden } from '@settler/chassis/http';
import type { InternalVerifier } from '@settler/chassis/internal-token';
import { claimsFrom } from '@settler/chassis/principal';
import { errorsOf, validationRefusal } from '@settler/chassis/problem';
import { notFound } from '@settler/chassis/refusal';
import { idOf, userId } from '@settler/contracts/ids';
import { apiKeyVerdict, revocationsAnswer, sessionState, sessionStateQuery, verifyApiKeyBody } from '@settler/contracts/internal/api-keys';
import { memberState } from '@settler/contracts/internal/members';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Revocations } from '../application/queries.ts';
import type { verifyApiKey } from '../application/verify-api-key.ts';

export interface InternalNeeds {
  readonly verify: InternalVerifier;
  readonly verifyApiKey: ReturnType<typeof verifyApiKey>;
  readonly isSessionActive: (sessionId: string, signedBy?: string) => Promise<boolean>;
  readonly revocations: Revocations;
  readonly isActiveMember: (organizationId: string, userId: string) => Promise<boolean>;
}

const revocationsQuery = z.strictObject({ after: z.coerce.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER) });
const sessionParams = z.object({ id: idOf('session') });
const memberParams = z.object({ id: userId });

export const internalRoutes = (app: FastifyInstance, needs: InternalNeeds): void => {
  const { verify, verifyApiKey, isSessionActive, revocations, isActiveMember } = needs;
  const requireGateway = (request: FastifyRequest) => claimsFrom(request.headers.authorization, verify, ['gateway']);

  app.post('/internal/api-keys/verify', hidden, async (request) => {
    requireGateway(request);
    return apiKeyVerdict.parse(await verifyApiKey(parse(verifyApiKeyBody, request.body).key));
  });

  app.get('/internal/revocations', hidden, async (request) => {
    requireGateway(request);
    return revocationsAnswer.parse(await revocations.after(parse(revocationsQuery, request.query).after));
  });

  app.get('/internal/sessions/:id', hidden, async (request) => {
    requireGateway(request);
    const params = sessionParams.safeParse(request.params);
    if (!params.success) throw notFound('session');
    const { signedBy } = parse(sessionStateQuery, request.query);
    return sessionState.parse({ sessionId: params.data.id, active: await isSessionActive(params.data.id, signedBy) });
  });

  app.get('/internal/members/:id', hidden, async (request) => {
    const { org } = claimsFrom(request.headers.authorization, verify, ['executions']);
    const params = memberParams.safeParse(request.params);
    if (org === undefined || !params.success) throw notFound('member');
    return memberState.parse({ userId: params.data.id, active: await isActiveMember(org, params.data.id) });
  });
};

const parse = <Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw validationRefusal(errorsOf(result.error.issues));
};
