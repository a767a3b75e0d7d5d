/** What executions asks before it accepts a run. Never routed by the gateway. */
import { hidden } from '@settler/chassis/http';
import type { InternalVerifier } from '@settler/chassis/internal-token';
import { claimsFrom } from '@settler/chassis/principal';
import { notFound } from '@settler/chassis/refusal';
import { idOf } from '@settler/contracts/ids';
import { jobDefinition } from '@settler/contracts/internal/job-definition';
import type { FastifyInstance } from 'fastify';
import type { JobQueries } from '../application/queries.ts';

export const internalRoutes = (app: FastifyInstance, verify: InternalVerifier, queries: JobQueries): void => {
  app.get<{ Params: { id: string } }>('/internal/jobs/:id/definition', hidden, async (request) => {
    const { org } = claimsFrom(request.headers.authorization, verify, ['executions']);
    const id = idOf('job').safeParse(request.params.id);
    const definition = org === undefined || !id.success ? undefined : await queries.definition(org, id.data);
    if (definition === undefined) throw notFound('job');
    return jobDefinition.parse(definition);
  });
};
