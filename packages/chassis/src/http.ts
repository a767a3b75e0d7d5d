/** The HTTP server of every service: request ids, trace context, JSON bodies and problem documents. Routes come by `endpoint`. */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import swagger from '@fastify/swagger';
import { readable } from '@settler/contracts/json-schema';
import { routesAt } from '@settler/contracts/routes';
import type { Service } from '@settler/contracts/services';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  LogController,
  type RouteShorthandOptions,
} from 'fastify';
import { createJsonSchemaTransform, createJsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { Answer } from './answer.ts';
import { closeWhenQuiet, followPipelined, statusOf } from './connections.ts';
import { contextFrom, inContext, type WorkContext } from './context.ts';
import { parseJson } from './json.ts';
import { stringify } from './json-text.ts';
import { createRequestLog, type Logger } from './logger.ts';
import { createPastRequests, type PastRequests } from './past-requests.ts';
import { problemAnswer, toRefusal } from './problem.ts';
import { timesSent } from './raw-headers.ts';
import { Refusal } from './refusal.ts';
import { inQueues } from './request-queues.ts';
import { activeTraceparent } from './tracing.ts';
import { answerUnreadable } from './unreadable.ts';

/** What people write by hand is short. */
const saneRequestId = /^[A-Za-z0-9._:-]{1,128}$/;
const requestTimeoutMs = 15 * 60_000;
/** Whoever needs longer than this for a few kilobytes of headers is holding a connection open. */
const headersTimeoutMs = 20_000;
const headerBytesMax = 16 * 1024;
const serverOptions = {
  requestTimeout: requestTimeoutMs,
  maxHeaderSize: headerBytesMax,
  headersTimeout: headersTimeoutMs,
  connectionsCheckingInterval: 5_000,
  // Node would refuse a missing Host with an answer of its own; `requireHost` does so with ours.
  requireHostHeader: false,
  // Longer than the gateway keeps idle sockets, so that it never writes into one that we are closing.
  keepAliveTimeout: 75_000,
};

/**
 * Validation is the endpoint's, whose errors carry paths; the schemas on the routes document. Given when the server is made, because it loads
 * ajv and fast-json-stringify otherwise, which is a fifteenth of a start; its types know compilers of these two alone.
 */
const schemaController = {
  compilersFactory: {
    buildValidator: () => () => (value: unknown) => ({ value }),
    buildSerializer: () => () => (value: unknown) => JSON.stringify(value),
  },
} as unknown as NonNullable<FastifyServerOptions['schemaController']>;

declare module 'fastify' {
  interface FastifyRequest {
    /** The JSON body as it came: what an idempotency fingerprint is of. */
    rawBody?: Buffer;
  }
  interface FastifyInstance {
    readonly pastRequests: PastRequests;
  }
}

export interface HttpOptions {
  readonly service: Service;
  readonly logger: Logger;
  /** While it says so, every answer asks the client to take its next request elsewhere. */
  readonly isStopping?: () => boolean;
  /** On every answer, those that no hook sees among them. Whoever answers past Fastify adds them itself. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Options of a route that is not part of the public API and stays out of its description. */
export const hidden: RouteShorthandOptions = { schema: { hide: true } };

export const createHttp = async ({ service, logger, isStopping = () => false, headers }: HttpOptions): Promise<FastifyInstance> => {
  const unhooked = { 'x-content-type-options': 'nosniff', ...headers };
  const app = fastify({
    loggerInstance: logger as FastifyBaseLogger,
    logController: new LogController({ disableRequestLogging: true }),
    // Every line has the request's id from the context; a logger for each request would only say it again.
    childLoggerFactory: (parent) => parent,
    bodyLimit: 1024 * 1024,
    schemaController,
    serverFactory: (handle) => createServer(serverOptions, inQueues(handle)),
    forceCloseConnections: 'idle',
    // What was sent before the client could know of the end is served, and told that the connection closes.
    return503OnClosing: false,
    // What is refused before any hook has run, such as a path that cannot be decoded.
    frameworkErrors: (error, request, reply) => {
      const context = contextFrom(request.id, undefined);
      follow(request, reply, context);
      inContext(context, () => sendProblem(error, request, reply.headers({ 'x-request-id': request.id, ...unhooked })));
    },
    clientErrorHandler: (fault, socket) => answerUnreadable(logger, unhooked, fault, socket),
    genReqId: (request) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && saneRequestId.test(given) ? given : randomUUID();
    },
  });
  const pastRequests = createPastRequests();
  pastRequests.follow(createRequestLog(logger));
  app.decorate('pastRequests', pastRequests);
  const quiet = closeWhenQuiet(app);
  const follow = (request: FastifyRequest, reply: FastifyReply, { requestId, traceId }: WorkContext): void => {
    followPipelined(request.raw, reply.raw);
    quiet.begin();
    // Closed, and not finished: requests whose clients went away are those that took too long.
    reply.raw.once('close', () => {
      quiet.end();
      pastRequests.add({
        requestId,
        traceId,
        method: request.method,
        route: request.routeOptions.url ?? 'unknown',
        status: statusOf(reply),
        ms: reply.elapsedTime,
        isCut: !reply.raw.writableFinished,
        endedAtMs: Date.now(),
      });
    });
  };
  app.addHook('onRequest', (request, reply, done) => {
    const { traceparent } = request.headers;
    const given = typeof traceparent === 'string' ? traceparent : undefined;
    const context = contextFrom(request.id, activeTraceparent() ?? given);
    reply.header('x-request-id', request.id);
    if (isStopping()) reply.header('connection', 'close');
    follow(request, reply, context);
    inContext(context, done);
  });
  if (headers !== undefined)
    app.addHook('onSend', (_request, reply, payload, done) => {
      reply.headers(headers);
      done(null, payload);
    });
  // Before anybody reads its body: whatever that is, there is nobody to take it.
  app.addHook('preParsing', (request, _reply, _payload, done) =>
    done(requireHost(request) ?? (request.is404 ? nothingThere(request) : requirePlainBody(request)) ?? null),
  );
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    try {
      request.rawBody = body;
      done(null, body.length === 0 ? undefined : parseJson(body));
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(nothingThere(request), request, reply));
  const schemas = { zodToJsonConfig: { override: readable } };
  await app.register(swagger, {
    openapi: { openapi: '3.1.0', info: { title: `Settler ${service}`, version: '1' } },
    transform: createJsonSchemaTransform(schemas),
    transformObject: createJsonSchemaTransformObject(schemas),
  });
  return app;
};

/** RFC 9112, 3.2: without one, or with two of them, nobody knows whom a request is for. */
const requireHost = ({ raw }: FastifyRequest): Refusal | undefined => {
  const hosts = timesSent(raw, 'host');
  if (hosts === 1 || (hosts === 0 && raw.httpVersion !== '1.1')) return undefined;
  const detail = hosts === 0 ? 'The Host header is missing.' : 'There is more than one Host header.';
  return new Refusal('malformed_request', detail, { headers: { connection: 'close' } });
};

/** Nobody unpacks it, and it must not be taken for what is in it. */
const requirePlainBody = ({ method, headers }: FastifyRequest): Refusal | undefined => {
  const coding = headers['transfer-encoding']?.trim().toLowerCase() ?? '';
  if (coding !== '' && coding !== 'chunked')
    return new Refusal('unsupported_media_type', 'Bodies are taken as they are: send this one with no Transfer-Encoding but chunked.');
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? '';
  if (method === 'GET' || method === 'HEAD' || encoding === '' || encoding === 'identity') return undefined;
  return new Refusal('unsupported_media_type', 'Bodies are taken as they are: send this one unpacked, without Content-Encoding.');
};

/** Of a path that does not exist, or not with this method. */
export const nothingThere = (request: FastifyRequest): Refusal => {
  const [path = '/'] = request.url.split('?', 1);
  const methods = [...routesAt(path).keys()];
  // What is outside of the contract, such as health and the reference, is there to be read.
  if (methods.length === 0 && request.server.hasRoute({ method: 'GET', url: path })) methods.push('GET');
  // Whatever can be read can be asked for its head.
  const allow = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
  if (allow === '') return new Refusal('not_found', 'There is no such path.');
  return new Refusal('method_not_allowed', `This resource takes ${allow}.`, { headers: { allow } });
};

export const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const refusal = toRefusal(error);
  const { cause, isReported } = refusal.details;
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  else if (refusal.code === 'upstream_unavailable' && isReported !== true)
    request.log.warn({ err: cause ?? error }, 'a request could not be served');
  else if (cause !== undefined) request.log.debug({ err: cause }, 'a request was refused');
  return sendAnswer(reply, problemAnswer(refusal));
};

/** Above this many letters an answer leaves as bytes, which are made once; below, Node joins it with its head, which is a text too. */
const textLengthMax = 8 * 1024;

/** The body of an answer as it is sent; undefined where there is none. */
export const written = ({ body }: Answer): string | Buffer | undefined => {
  const text = stringify(body);
  return text !== undefined && text.length > textLengthMax ? Buffer.from(text) : text;
};

export const sendAnswer = (reply: FastifyReply, answer: Answer, body = written(answer)): FastifyReply => {
  reply.code(answer.status).headers(answer.headers ?? {});
  if (body === undefined) return reply.send();
  if (!reply.hasHeader('content-type')) reply.header('content-type', 'application/json; charset=utf-8');
  return reply.send(body);
};
