/**
 * Passes a request on to the service that owns its route, and the answer back. A read that could not be delivered is tried again;
 * a write never is, because a connection that broke does not say whether it was done.
 */
import type { OutgoingHttpHeaders } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { currentContext } from '@settler/chassis/context';
import { networkOf } from '@settler/chassis/network';
import { Refusal } from '@settler/chassis/refusal';
import { activeTraceparent } from '@settler/chassis/tracing';
import { awayHeader } from '@settler/contracts/internal/away';
import type { Route } from '@settler/contracts/routes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Caller } from '../authentication/caller.ts';
import type { PrincipalTokenFor } from '../authentication/principal-tokens.ts';
import type { SafeHeaders } from '../browsers.ts';
import { type Body, ClientGone, hasBody, isHeld } from './body.ts';
import type { BodyMemory } from './body-memory.ts';
import { exchange } from './exchange.ts';
import { headersToAnswer, headersToForward } from './headers.ts';
import { heldBody } from './held-body.ts';
import type { Pace } from './pace.ts';
import { isConnectionFailure, refusalFor } from './refusals.ts';
import { streamedBody } from './streamed-body.ts';
import type { Lane, Upstream, Upstreams } from './upstreams.ts';

export interface ForwardNeeds {
  readonly upstreams: Upstreams;
  readonly tokenFor: PrincipalTokenFor;
  readonly bodyMemory: BodyMemory;
  /** How fast bodies have to come that go to the service as they come. */
  readonly pace: Pace;
  /** On every answer, whatever the service says. */
  readonly safeHeaders: SafeHeaders;
}

/** Who asks, as it was found out: null where nobody has to be anybody. */
export interface Asker {
  readonly caller: Caller | null;
  readonly address: string | null;
  /** Says when a stream of events, a download, or a body that was not all here has to end, because whoever it is from or for may no longer. */
  readonly streamEnd: AbortSignal | undefined;
}

/** Returns once the answer has begun, or nobody is there for it. @throws Refusal */
export type Forward = (route: Route, asker: Asker, request: FastifyRequest, reply: FastifyReply) => Promise<void>;

const retriesMax = 3;
const retryDelayMsFirst = 50;
/** A body that is held comes in a minute, or not at all: of an upload, which may take longer, it is a few kilobytes. */
const heldBodyTimeoutMsMax = 60_000;
/** A stream of events begins at once, however long it then goes on; a file when its first rows are found, for which a statement has 60 s. */
const headTimeoutMsOf = { events: 10_000, download: 65_000 } as const;

/** The service's answer says that it is in trouble. It is passed on, and counted. */
class Ailing extends Error {
  override readonly name = 'Ailing';
}

const ailingStatuses: ReadonlySet<number> = new Set([502, 503, 504]);

export const createForward = ({ upstreams, tokenFor, bodyMemory, pace, safeHeaders }: ForwardNeeds): Forward => {
  const always = Object.entries(safeHeaders).flat();

  const bodyToHold = (route: Route, { caller, address, streamEnd }: Asker, { raw }: FastifyRequest, reply: FastifyReply): Promise<Body> => {
    goOn(reply);
    return heldBody(raw, {
      bytesMax: route.bodyBytesMax,
      timeoutMs: Math.min(route.timeoutMs, heldBodyTimeoutMsMax),
      take: bodyMemory.open(caller?.organizationId ?? networkOf(address), reply.raw),
      ending: streamEnd,
    });
  };
  const bodyToStream = (route: Route, { streamEnd }: Asker, { raw }: FastifyRequest, reply: FastifyReply): Body => {
    goOn(reply);
    return streamedBody(raw, { bytesMax: route.bodyBytesMax, pace, ending: streamEnd });
  };

  /** `held`: its body, where that is here already. */
  const once = async (
    route: Route,
    asker: Asker,
    request: FastifyRequest,
    reply: FastifyReply,
    lane: Lane,
    timeoutMs: number,
    held: Body | undefined,
  ): Promise<void> => {
    const { raw } = request;
    const isEventStream = route.stream === 'events';
    const sendsBody = hasBody(raw);
    let isAiling = false;
    const { head, end } = exchange({
      pool: lane.pool,
      method: raw.method ?? route.method,
      path: pathOf(raw.url ?? '/'),
      headers: headersToForward(raw.headers, sendsBody, {
        authorization: `Bearer ${tokenFor(asker.caller, route.service, asker.address)}`,
        requestId: request.id,
        traceparent: activeTraceparent() ?? currentContext()?.traceparent ?? '',
      }),
      body: held ?? (sendsBody ? bodyToStream(route, asker, request, reply) : null),
      headTimeoutMs: route.stream === 'events' || route.stream === 'download' ? headTimeoutMsOf[route.stream] : timeoutMs,
      timeoutMs,
      response: reply.raw,
      isEventStream,
      onHead: (status, headers) => {
        isAiling = ailingStatuses.has(status) && headers[awayHeader] === undefined;
        reply.hijack();
        if (status === 503 && headers['retry-after'] === undefined) reply.header('retry-after', '1');
        reply.raw.writeHead(status, headersToAnswer(headers, always, reply.getHeaders() as OutgoingHttpHeaders));
      },
    });
    await head;
    // The answer to a body is owed to whoever sent all of it while they might.
    if (!sendsBody && asker.streamEnd !== undefined) {
      if (asker.streamEnd.aborted) end();
      asker.streamEnd.addEventListener('abort', end, { once: true });
    }
    if (isAiling) throw new Ailing('the answer says so');
  };

  return async (route, asker, request, reply) => {
    const { raw } = request;
    const upstream = upstreams.to(route.service);
    let held: Body | undefined;
    if (hasBody(raw) && isHeld(route, raw)) {
      try {
        held = await bodyToHold(route, asker, request, reply);
      } catch (error) {
        if (error instanceof ClientGone) return void reply.hijack();
        throw error;
      }
    }
    // Not before: what waits for its client has no place that others need.
    const lane = laneOf(upstream, route, held === undefined && hasBody(raw));
    if (!lane.places.take(reply.raw)) {
      const detail = `Too many requests are waiting for ${route.service}, the service behind this route.`;
      throw new Refusal('upstream_unavailable', detail, { retryAfterSeconds: 1 });
    }
    const isRead = route.method === 'GET';
    const startedAtMs = performance.now();
    for (let retry = 0; ; retry += 1) {
      try {
        const timeoutMs = route.timeoutMs - (performance.now() - startedAtMs);
        return await upstream.breaker.call(() => once(route, asker, request, reply, lane, timeoutMs, held));
      } catch (error) {
        if (error instanceof Ailing) return;
        if (error instanceof ClientGone) return void reply.hijack();
        if (!isRead || retry === retriesMax || !isConnectionFailure(error)) throw refusalFor(route.service, error);
        await delay(Math.random() * retryDelayMsFirst * 2 ** retry);
      }
    }
  };
};

const laneOf = ({ requests, uploads, streams }: Upstream, { stream }: Route, isStreamed: boolean): Lane => {
  if (isStreamed) return uploads;
  return stream === 'events' || stream === 'download' ? streams : requests;
};

/** Asks for a body whose client waits to be asked. */
const goOn = ({ raw }: FastifyReply): void => {
  if (raw.req.headers.expect?.toLowerCase() === '100-continue') raw.writeContinue();
};

/** A request may name the whole URL, in letters of either case. Whose it claims to be is nothing to the service. */
const pathOf = (url: string): string => (url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/]*/i, ''));
