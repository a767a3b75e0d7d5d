/** The HTTP server of every service: request ids, trace context, JSON bodies and problem documents. Routes come by `endpoint`. */
import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import { routesAt } from '@settler/contracts/routes';
import type { Service } from '@settler/contracts/services';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RouteShorthandOptions,
} from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Answer } from './answer.ts';
import { contextFrom, inContext } from './context.ts';
import { parseJson } from './json.ts';
import type { Logger } from './logger.ts';
import { problemAnswer, toRefusal } from './problem.ts';
import { Refusal } from './refusal.ts';
import { activeTraceparent } from './tracing.ts';

const saneRequestId = /^[A-Za-z0-9._:-]{8,128}$/;
const requestTimeoutMs = 15 * 60_000;

declare module 'fastify' {
  interface FastifyRequest {
    /** The JSON body as it came: what an idempotency fingerprint is of. */
    rawBody?: Buffer;
  }
}

/** Options of a route that is not part of the public API and stays out of its description. */
export const hidden: RouteShorthandOptions = { schema: { hide: true } };

export const createHttp = async ({ service, logger }: { service: Service; logger: Logger }): Promise<FastifyInstance> => {
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    disableRequestLogging: true,
    bodyLimit: 1024 * 1024,
    requestTimeout: requestTimeoutMs,
    // Longer than the gateway keeps idle sockets, so that it never writes into one that we are closing.
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    // What is refused before any hook has run, such as a path that cannot be decoded.
    frameworkErrors: (error, request, reply) =>
      inContext(contextFrom(request.id, undefined), () => sendProblem(error, request, reply.header('x-request-id', request.id))),
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID();
    },
  });
  app.addHook('onRequest', (request, reply, done) => {
    const { traceparent } = request.headers;
    reply.header('x-request-id', request.id);
    const given = typeof traceparent === 'string' ? traceparent : undefined;
    inContext(contextFrom(request.id, activeTraceparent() ?? given), done);
  });
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    if (!route.startsWith('/health') && route !== '/metrics') {
      request.log.info({ method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request');
    }
    done();
  });
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      request.rawBody = body;
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  // Validation is the endpoint's, whose errors carry paths; the schemas on the routes document.
  app.setValidatorCompiler(() => (value: unknown) => ({ value }));
  app.setSerializerCompiler(() => (value: unknown) => JSON.stringify(value));
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(nothingThere(request), request, reply));
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: `Settler ${service}`, version: '1' } },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  return app;
};

const nothingThere = (request: FastifyRequest): Refusal => {
  const [path = '/'] = request.url.split('?', 1);
  const allow = [...routesAt(path).keys()].join(', ');
  if (allow === '') return new Refusal('not_found', 'There is no such path.');
  return new Refusal('method_not_allowed', `This resource takes ${allow}.`, { headers: { allow } });
};

export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const refusal = toRefusal(error);
  const cause = refusal.details.cause;
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  else if (refusal.code === 'upstream_unavailable') request.log.warn({ err: cause ?? error }, 'a request could not be served');
  else if (cause !== undefined) request.log.debug({ err: cause }, 'a request was refused');
  return sendAnswer(reply, problemAnswer(refusal));
};

export const sendAnswer = (reply: FastifyReply, answer: Answer): FastifyReply => {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (answer.body === undefined) return reply.send();
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(JSON.stringify(answer.body));
};
