/** Who may pass: credentials, limits, access and size, in this order and before anything is read of the body. */
import { Refusal } from '@settler/chassis/refusal';
import type { Route } from '@settler/contracts/routes';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Authenticate } from './authentication/authenticate.ts';
import { type Caller, requireAccess } from './authentication/caller.ts';
import { readCredential } from './authentication/credentials.ts';
import type { ClientAddress } from './client-address.ts';
import { requireSize } from './forwarding/body.ts';
import type { Asker } from './forwarding/forward.ts';
import type { RateLimits, Spent } from './limits/rate-limits.ts';

export interface AdmissionNeeds {
  readonly clientAddress: ClientAddress;
  readonly authenticate: Authenticate;
  readonly rateLimits: RateLimits;
}

/** @throws Refusal `unauthenticated`, `forbidden`, `rate_limited`, `payload_too_large`, `upstream_unavailable` */
export type Admit = (route: Route, request: FastifyRequest, reply: FastifyReply) => Promise<Asker>;

export const createAdmission = ({ clientAddress, authenticate, rateLimits }: AdmissionNeeds): Admit => {
  const callerOf = async (route: Route, request: FastifyRequest, address: string | null, reply: FastifyReply): Promise<Caller | null> => {
    if (route.access === 'public') {
      requireRoom(reply, await rateLimits.spendAddress(address));
      return null;
    }
    try {
      const caller = await authenticate(readCredential(request.raw), address);
      requireRoom(reply, await rateLimits.spendCaller(caller));
      return caller;
    } catch (error) {
      // Guesses are counted where they come from: nobody else is known yet.
      if (error instanceof Refusal && error.code === 'unauthenticated') requireRoom(reply, await rateLimits.spendAddress(address));
      throw error;
    }
  };

  return async (route, request, reply) => {
    const address = clientAddress(request.socket.remoteAddress, request.headers['x-forwarded-for']);
    const caller = await callerOf(route, request, address, reply);
    if (caller !== null) requireAccess(caller, route.access);
    requireSize(request.raw, route.bodyBytesMax);
    return { caller, address };
  };
};

/** Every answer says how much room is left, the refusal of one request too many among them. */
const requireRoom = (reply: FastifyReply, { headers, refusal }: Spent): void => {
  reply.headers(headers);
  if (refusal !== undefined) throw refusal;
};
