/**
 * Passes a request on to the service that owns its route, and the answer back. A read that could not be delivered is tried again;
 * a write never is, because a connection that broke does not say whether it was done.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { currentContext } from '@settler/chassis/context';
import { Refusal } from '@settler/chassis/refusal';
import { activeTraceparent } from '@settler/chassis/tracing';
import type { Route } from '@settler/contracts/routes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../authentication/caller.ts';
import type { PrincipalTokenFor } from '../authentication/principal-tokens.ts';
import { countedBody, hasBody, linger } from './body.ts';
import { BreakerOpen } from './breaker.ts';
import { ClientGone, DeadlinePassed, type Exchange, exchange } from './exchange.ts';
import { headersToAnswer, headersToForward } from './headers.ts';
import type { OpenStreams } from './open-streams.ts';
import type { Upstreams } from './upstreams.ts';

export interface ForwardNeeds {
  readonly upstreams: Upstreams;
  readonly tokenFor: PrincipalTokenFor;
  readonly streams: OpenStreams;
}

/** Who asks, as it was found out: null where nobody has to be anybody. */
export interface Asker {
  readonly caller: Caller | null;
  readonly address: string | null;
}

/** Returns once the answer has begun. @throws Refusal `upstream_unavailable`, `payload_too_large` */
export type Forward = (route: Route, asker: Asker, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const retriesMax = 3;
const retryDelayMsFirst = 50;
/** A stream of events begins at once, however long it then goes on. */
const eventsHeadTimeoutMs = 10_000;
const retryAfterSeconds = 1;

/** The service's answer says that it is in trouble. It is passed on, and counted. */
class Ailing extends Error {
  override readonly name = 'Ailing';
}

const ailingStatuses: ReadonlySet<number> = new Set([502, 503, 504]);
const connectionFailures: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_CONNECT_TIMEOUT',
]);
const isConnectionFailure = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && connectionFailures.has(error.code);

export const createForward = ({ upstreams, tokenFor, streams }: ForwardNeeds): Forward => {
  const begin = (route: Route, { caller, address }: Asker, request: FastifyRequest, reply: FastifyReply): Exchange => {
    const { raw } = request;
    const upstream = upstreams.to(route.service);
    const isEventStream = route.stream === 'events';
    const sendsBody = hasBody(raw);
    const traceparent = activeTraceparent() ?? currentContext()?.traceparent ?? '';
    return exchange({
      pool: route.stream === 'none' ? upstream.pool : upstream.streamPool,
      method: raw.method ?? route.method,
      path: raw.url ?? '/',
      headers: headersToForward(raw.headers, sendsBody, {
        authorization: `Bearer ${tokenFor(caller, route.service, address)}`,
        requestId: request.id,
        traceparent,
      }),
      body: sendsBody ? countedBody(raw, route.bodyBytesMax) : null,
      headTimeoutMs: isEventStream ? eventsHeadTimeoutMs : route.timeoutMs,
      timeoutMs: route.timeoutMs,
      response: reply.raw,
      isEventStream,
      onHead: (status, headers) => {
        reply.hijack();
        reply.raw.once('finish', () => linger(raw));
        reply.raw.writeHead(status, { ...(reply.getHeaders() as OutgoingHttpHeaders), ...headersToAnswer(headers) });
      },
    });
  };

  const once = async (route: Route, asker: Asker, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const started = begin(route, asker, request, reply);
    const status = await started.head;
    if (route.stream === 'events' && asker.caller !== null) reply.raw.once('close', streams.add(asker.caller, started.finish));
    if (ailingStatuses.has(status)) throw new Ailing(`answered ${status}`);
  };

  const throughBreaker = async (route: Route, asker: Asker, request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    const { breaker } = upstreams.to(route.service);
    try {
      await breaker.call(() => once(route, asker, request, reply));
    } catch (error) {
      if (!(error instanceof Ailing)) throw error;
    }
  };

  return async (route, asker, request, reply) => {
    const isRead = route.method === 'GET';
    for (let retry = 0; ; retry += 1) {
      try {
        return await throughBreaker(route, asker, request, reply);
      } catch (error) {
        if (error instanceof ClientGone) return void reply.hijack();
        if (!isRead || retry === retriesMax || !isConnectionFailure(error)) throw refusalFor(route, error);
        await delay(Math.random() * retryDelayMsFirst * 2 ** retry);
      }
    }
  };
};

const refusalFor = ({ service }: Route, error: unknown): unknown => {
  if (error instanceof BreakerOpen) {
    const detail = `The service behind this route, ${service}, is not answering; it is left alone for a moment.`;
    return new Refusal('upstream_unavailable', detail, { retryAfterSeconds: error.retryAfterSeconds, cause: error });
  }
  if (error instanceof DeadlinePassed) {
    return new Refusal('upstream_unavailable', `The service behind this route, ${service}, gave no answer in time.`, {
      retryAfterSeconds,
      cause: error,
    });
  }
  if (error instanceof Refusal) return error;
  return new Refusal('upstream_unavailable', `The service behind this route, ${service}, cannot be reached.`, {
    retryAfterSeconds,
    cause: error,
  });
};
