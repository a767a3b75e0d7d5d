/**
 * Registers routes of the contract's table: access before the body is read, validation with paths, idempotency, entity tags,
 * and documentation, all from one declaration.
 */
import { idFault } from '@settler/contracts/ids';
import { type ProblemError, problemDocument } from '@settler/contracts/problems';
import { type Route, type RouteName, routes, routesOf } from '@settler/contracts/routes';
import type { StatefulService } from '@settler/contracts/services';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Answer } from './answer.ts';
import { isUnmodified, readIfMatch, tagOf } from './entity-tag.ts';
import { sendAnswer, written } from './http.ts';
import { fingerprintOf, type Idempotency } from './idempotency.ts';
import { readIdempotencyKey } from './idempotency-key.ts';
import type { InternalVerifier } from './internal-token.ts';
import { requireFew, requireStorable } from './json.ts';
import { claimsFrom, type Principal, principalFor } from './principal.ts';
import { errorsOf, validationRefusal } from './problem.ts';
import { Refusal } from './refusal.ts';

type Schema = z.ZodType | undefined;
type Output<Part extends Schema> = Part extends z.ZodType ? z.output<Part> : undefined;

/** What a handler is given: everything validated, and who asks. `principal` is that of nobody on public routes. */
export interface Input<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly principal: Principal;
  /** `If-Match` as a revision; undefined where none was sent. */
  readonly ifMatch: number | undefined;
  /** The client's address; null where it could not be determined. */
  readonly address: string | null;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

type Answers = Readonly<Record<number, z.ZodType | null>>;

/** As it is written down: nobody changes a list or an object in it. */
type Written<Value> = unknown extends Value
  ? unknown
  : Value extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : { readonly [Key in keyof Value]: Written<Value[Key]> };

/** What the reference shows; its test sends each body to the route, and holds each answer against the schema. */
interface Examples<Body extends Schema, Success extends Answers> {
  /** By what each of them shows. */
  readonly bodies?: Body extends z.ZodType ? Readonly<Record<string, Written<z.input<Body>>>> : never;
  readonly answers?: {
    readonly [Status in keyof Success]?: Success[Status] extends z.ZodType ? Written<z.output<Success[Status]>> : never;
  };
}

export interface Endpoint<Params extends Schema, Query extends Schema, Body extends Schema, Prepared, Success extends Answers = Answers> {
  /** What its summary in the contract's table leaves out: what it does besides, when it refuses, and how to follow what takes long. */
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Success answers by status; null for one without a body. */
  readonly answers: Success;
  readonly examples?: Examples<Body, Success>;
  /** Statuses of refusals that are this route's own: those that follow from its kind are known. */
  readonly refuses?: readonly number[];
  /** What needs other services or a long time: never inside a transaction. With a key it runs under a claim. */
  readonly prepare?: (input: Input<Output<Params>, Output<Query>, Output<Body>>) => Promise<Prepared>;
  /** The effect. With an Idempotency-Key it runs in the transaction that records the answer. */
  readonly handle: (input: Input<Output<Params>, Output<Query>, Output<Body>>, prepared: Prepared) => Promise<Answer>;
  /** With a key, before it is looked up. What it throws is the answer: whoever may not try does not learn from a replay what was right. */
  readonly beforeReplay?: (input: Input<Output<Params>, Output<Query>, Output<Body>>) => Promise<void>;
  /** The key was used with another body: where that has a password in it, somebody may be guessing. */
  readonly onReused?: (input: Input<Output<Params>, Output<Query>, Output<Body>>) => Promise<void>;
  /** For public routes: what the key is scoped to besides the path, an HMAC of the e-mail or token. */
  readonly idempotencyScope?: (body: Output<Body>) => string;
}

/** Keys of public routes are kept under this; no organization can have it as its id. */
export const publicOwner = 'public';

/** The gateway alone has seen a credential. Another service's word would let whoever holds its key be anybody, everywhere. */
const believedByPublicRoutes = ['gateway'] as const;

export interface Endpoints {
  readonly endpoint: <
    Params extends Schema = undefined,
    Query extends Schema = undefined,
    Body extends Schema = undefined,
    Prepared = undefined,
    Success extends Answers = Answers,
  >(
    name: RouteName,
    endpoint: Endpoint<Params, Query, Body, Prepared, Success>,
    /** Where to register it; an upload needs a scope whose content types are passed on unread. */
    scope?: FastifyInstance,
  ) => void;
  /** @throws naming the routes of the table that this service was to serve and does not. */
  readonly assertComplete: () => void;
}

export interface EndpointsOptions {
  readonly app: FastifyInstance;
  readonly service: StatefulService;
  readonly verify: InternalVerifier;
  readonly idempotency: Idempotency;
}

interface Authorized extends FastifyRequest {
  principal?: Principal;
  clientAddress?: string | null;
}

export const createEndpoints = ({ app, service, verify, idempotency }: EndpointsOptions): Endpoints => {
  const registered = new Set<RouteName>();
  return {
    endpoint: (name, endpoint, scope = app) => {
      const route: Route = routes[name];
      if (route.service !== service) throw new Error(`${name} is a route of ${route.service}`);
      registered.add(name);
      const declared = endpoint as unknown as Endpoint<Schema, Schema, Schema, unknown>;
      scope.route({
        method: route.method,
        url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
        bodyLimit: route.bodyBytesMax,
        schema: documentation(name, route, declared),
        onRequest: (request, _reply, done) => {
          const authorized: Authorized = request;
          try {
            const claims = claimsFrom(request.headers.authorization, verify, believedByPublicRoutes);
            authorized.clientAddress = claims.ip ?? null;
            if (route.access !== 'public') authorized.principal = principalFor(claims, route.access);
            done();
          } catch (error) {
            done(error as Error);
          }
        },
        handler: (request, reply) => serve(route, declared, idempotency, request, reply),
      });
    },
    assertComplete: () => {
      const missing = routesOf(service).filter(([name]) => !registered.has(name));
      if (missing.length > 0) throw new Error(`routes without a handler: ${missing.map(([name]) => name).join(', ')}`);
    },
  };
};

const serve = async (
  route: Route,
  endpoint: Endpoint<Schema, Schema, Schema, unknown>,
  idempotency: Idempotency,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> => {
  const input = readInput(route, endpoint, request, reply) as Input<never, never, never>;
  // Uploads hash while they stream, and therefore drive their record themselves.
  const key = route.idempotent && route.stream !== 'upload' ? readIdempotencyKey(request) : undefined;
  if (key === undefined) return respond(request, reply, await endpoint.handle(input, await endpoint.prepare?.(input)));
  await endpoint.beforeReplay?.(input);
  const { prepare } = endpoint;
  const run = idempotency.run(
    {
      organizationId: route.access === 'public' ? publicOwner : input.principal.organizationId,
      scope: [route.method, request.url, whoseOf(route, endpoint, input)].join(' ').trim(),
      key,
      // Nothing and an empty object say the same, to a route that takes no body as to one that needs none.
      fingerprint: fingerprintOf(endpoint.body === undefined ? '' : (bodyOf(request) ?? '{}')),
      secretFields: route.secretFields,
    },
    { ...(prepare === undefined ? {} : { prepare: () => prepare(input) }), effect: (prepared) => endpoint.handle(input, prepared) },
  );
  const { answer, replayed } = await run.catch(async (error: unknown) => {
    if (error instanceof Refusal && error.code === 'idempotency_key_reused') await endpoint.onReused?.(input);
    throw error;
  });
  if (replayed) reply.header('idempotent-replayed', 'true');
  return respond(request, reply, answer);
};

/** What a path like /v1/me does not say. */
const whoseOf = (
  { access }: Route,
  { idempotencyScope }: Endpoint<Schema, Schema, Schema, unknown>,
  { body, principal }: Input<never, never, never>,
): string => (access === 'user' || access === 'any' ? principal.id : (idempotencyScope?.(body) ?? ''));

const respond = (request: FastifyRequest, reply: FastifyReply, answer: Answer): FastifyReply => {
  // A handler that streams has taken the reply over.
  if (reply.sent) return reply;
  const body = written(answer);
  const tag = tagOf(request.method, answer, body);
  if (tag !== undefined) reply.header('etag', tag);
  if (tag !== undefined && isUnmodified(request, tag)) return reply.code(304).send();
  return sendAnswer(reply, answer, body);
};

const noQuery = z.strictObject({});

const readInput = (route: Route, endpoint: Endpoint<Schema, Schema, Schema, unknown>, request: Authorized, reply: FastifyReply): Input => ({
  params: endpoint.params && parse(endpoint.params, request.params, noSuchResource),
  query: parse(endpoint.query ?? noQuery, storable(request.query)),
  body: endpoint.body === undefined ? requireNoBody(route, request) : parse(endpoint.body, requireBody(route, endpoint.body, request)),
  principal: request.principal as Principal,
  ifMatch: readIfMatch(request),
  address: request.clientAddress ?? null,
  request,
  reply,
});

/** A malformed id is simply one that does not exist; whoever took that of an execution for that of a job is told which it must be. */
const noSuchResource = (errors: readonly ProblemError[]): Refusal => {
  const kinds = errors.filter(({ message }) => message.startsWith(idFault)).map(({ path, message }) => `: ${path} ${message}`);
  return new Refusal('not_found', `There is no such resource${kinds[0] ?? ''}.`);
};

const parse = (schema: z.ZodType, value: unknown, otherwise = (errors: readonly ProblemError[]) => validationRefusal(errors)): unknown => {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw otherwise(errorsOf(result.error.issues));
};

const storable = (query: unknown): unknown => {
  requireStorable(query, 'query');
  return query;
};

/** As it came; undefined where none did, of which Fastify says the same as of `null`. */
const bodyOf = ({ rawBody }: FastifyRequest): Buffer | undefined => (rawBody?.length === 0 ? undefined : rawBody);

/** Whether a body may say nothing, and therefore be left out. */
const isOptional = (schema: z.ZodType): boolean => schema.safeParse({}).success;

const requireBody = ({ bulkField }: Route, schema: z.ZodType, request: FastifyRequest): unknown => {
  if (bodyOf(request) === undefined && isOptional(schema)) return {};
  if (request.body === undefined || request.body === null) throw validationRefusal([{ path: '', message: 'a JSON body is required' }]);
  requireFew(request.body, bulkField);
  return request.body;
};

const requireNoBody = (route: Route, request: FastifyRequest): undefined => {
  const { body } = request;
  const isEmpty = body === undefined || body === null || (typeof body === 'object' && Object.keys(body).length === 0);
  if (route.stream !== 'upload' && !isEmpty) throw validationRefusal([{ path: '', message: 'this route takes no body' }]);
  return undefined;
};

/** Every problem that the route itself can answer with, beside its successes; read by @fastify/swagger. */
const documentation = (name: RouteName, route: Route, endpoint: Endpoint<Schema, Schema, Schema, unknown>) => {
  const hasBody = endpoint.body !== undefined || route.stream === 'upload';
  const failures = [400, 401, 403, 404, 409, 410, 412, 413, 415, 422, 429, 500, 503].filter((status) => {
    if (endpoint.refuses?.includes(status)) return true;
    if (status === 401 || status === 403) return route.access !== 'public';
    if (status === 404) return route.path.includes('{');
    if (status === 409) return route.idempotent;
    if (status === 410) return false;
    if (status === 412) return route.method === 'PATCH' || route.method === 'DELETE';
    // A body may come along where none is wanted.
    if (status === 413 || status === 415) return route.method !== 'GET';
    // Without a body there is no other one that a key could be used with again.
    if (status === 422) return route.idempotent && hasBody;
    return true;
  });
  const success = Object.entries(endpoint.answers).map(([status, schema]) => [status, schema ?? z.null().describe('No body')]);
  if (route.method === 'GET' && route.stream === 'none')
    success.push(['304', z.null().describe('The answer would be the one that had the ETag in If-None-Match')]);
  return {
    operationId: name,
    summary: route.summary,
    ...(endpoint.description === undefined ? {} : { description: endpoint.description }),
    tags: [route.path.split('/')[2] ?? 'settler'],
    ...(endpoint.params === undefined ? {} : { params: endpoint.params }),
    ...(endpoint.query === undefined ? {} : { querystring: endpoint.query }),
    ...(endpoint.body === undefined ? {} : { body: endpoint.body, 'x-settler-optional-body': isOptional(endpoint.body) }),
    response: Object.fromEntries([...success, ...failures.map((status) => [status, problemDocument])]),
    'x-settler-access': route.access,
    ...(endpoint.examples === undefined ? {} : { 'x-settler-examples': endpoint.examples }),
  };
};
