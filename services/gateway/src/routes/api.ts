/** Every route of the contract, forwarded to the service that owns it. */
import { hidden, nothingThere, sendProblem } from '@settler/chassis/http';
import { Refusal } from '@settler/chassis/refusal';
import { notParameters, type Route, routes } from '@settler/contracts/routes';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Admit } from '../admission.ts';
import type { Forward } from '../forwarding/forward.ts';

export const apiRoutes = async (app: FastifyInstance, admit: Admit, forward: Forward): Promise<void> => {
  await app.register(async (scope) => {
    // Bodies go through as they come. The services read them; here they would only be held.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    // Every type is taken, so what is refused is none at all, on routes of files as on others.
    scope.setErrorHandler((error, request, reply) => sendProblem(isNoMediaType(error) ? noMediaType() : error, request, reply));
    for (const { method, path } of notParameters) {
      const refuse = (request: FastifyRequest): never => {
        throw nothingThere(request);
      };
      scope.route({ ...hidden, method, url: path, onRequest: async (request) => refuse(request), handler: refuse });
    }
    for (const route of Object.values<Route>(routes)) {
      scope.route({
        ...hidden,
        method: route.method,
        url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
        handler: async (request, reply) => {
          // What belongs to one caller is nobody else's to keep, unless its service says so.
          reply.header('cache-control', 'no-store');
          await forward(route, await admit(route, request, reply), request, reply);
          return reply;
        },
      });
    }
  });
};

const isNoMediaType = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
const noMediaType = () =>
  new Refusal('unsupported_media_type', 'The Content-Type is no media type such as application/json, or text/csv of a file.');
