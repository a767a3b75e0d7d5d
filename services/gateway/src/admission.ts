/** Who may pass: credentials, limits, access, size and Idempotency-Key, in this order and before anything is read of the body. */
import type { IncomingMessage } from 'node:http';
import { readIdempotencyKey } from '@settler/chassis/idempotency-key';
import { Refusal } from '@settler/chassis/refusal';
import type { Route } from '@settler/contracts/routes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate } from './authentication/authenticate.ts';
import { type Caller, requireAccess } from './authentication/caller.ts';
import { readCredential } from './authentication/credentials.ts';
import type { ClientAddress } from './client-address.ts';
import { hasBody, isHeld, requireSize } from './forwarding/body.ts';
import type { Asker } from './forwarding/forward.ts';
import type { OpenStreams, StreamKind } from './forwarding/open-streams.ts';
import type { RateLimits, Spent } from './limits/rate-limits.ts';

export interface AdmissionNeeds {
  readonly clientAddress: ClientAddress;
  readonly authenticate: Authenticate;
  readonly rateLimits: RateLimits;
  readonly streams: OpenStreams;
}

/** @throws Refusal `unauthenticated`, `forbidden`, `rate_limited`, `payload_too_large`, `validation_failed`, `upstream_unavailable` */
export type Admit = (route: Route, request: FastifyRequest, reply: FastifyReply) => Promise<Asker>;

/** What whoever guesses or has found a credential is told: by whom it is tried says only the address. */
const isTrying = (error: unknown): boolean => error instanceof Refusal && (error.code === 'unauthenticated' || error.code === 'forbidden');

export const createAdmission = ({ clientAddress, authenticate, rateLimits, streams }: AdmissionNeeds): Admit => {
  const authenticated = async (request: FastifyRequest, address: string | null, reply: FastifyReply): Promise<Caller> => {
    try {
      return await authenticate(readCredential(request.raw), address, request.socket);
    } catch (error) {
      if (isTrying(error)) requireRoom(reply, await rateLimits.spendAddress(address));
      throw error;
    }
  };

  return async (route, request, reply) => {
    const address = clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
    if (route.access === 'public') {
      requireRoom(reply, await rateLimits.spendAddress(address));
      requireForwardable(route, request);
      return { caller: null, address, streamEnd: undefined };
    }
    const caller = await authenticated(request, address, reply);
    // Before anything else is waited for: a revocation from here on ends the stream, also one that has not begun.
    const lasting = lastingOf(route, request.raw);
    const stream = lasting === undefined ? undefined : streams.open(lasting, caller, reply.raw);
    requireRoom(reply, await rateLimits.spendCaller(caller, route.endsAccess));
    requireAccess(caller, route.access);
    requireForwardable(route, request);
    stream?.takePlace();
    return { caller, address, streamEnd: stream?.end };
  };
};

/** What no service could be told as it came. */
const requireForwardable = (route: Route, request: FastifyRequest): void => {
  requireSize(request.raw, route.bodyBytesMax);
  if (route.idempotent) readIdempotencyKey(request);
};

/** What of a request lasts: its answer, or a body that is not all here yet. Of most requests nothing does. */
const lastingOf = (route: Route, request: IncomingMessage): StreamKind | undefined => {
  if (route.stream === 'events' || route.stream === 'download') return route.stream;
  if (!hasBody(request)) return undefined;
  if (!isHeld(route, request)) return 'upload';
  return request.complete ? undefined : 'body';
};

/** Every answer says how much room is left, the refusal of one request too many among them. */
const requireRoom = (reply: FastifyReply, { headers, refusal }: Spent): void => {
  reply.headers(headers);
  if (refusal !== undefined) throw refusal;
};
