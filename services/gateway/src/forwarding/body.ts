/** Bodies of requests: whether there is one, how it goes to the service, and what is still coming when its request was answered. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { Refusal } from '@settler/chassis/refusal';
import type { Route } from '@settler/contracts/routes';
import type { Blameless } from './breaker.ts';

export const hasBody = ({ method, headers }: IncomingMessage): boolean => {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
};

/** What is longer than this is no JSON document of everyday, and not worth holding. */
export const heldBytesMax = 1024 * 1024;
/** Of files, up to here it costs less to hold them than to pass them on piece by piece. */
const heldFileBytesMax = 16 * 1024;

/**
 * Whether a body goes to the service in one piece, once all of it is here. So a client that dawdles over it has nothing of the service, whose
 * connections everybody shares. What is not held goes there as it comes, on connections that are kept apart for that.
 */
export const isHeld = (route: Route, { headers }: IncomingMessage): boolean =>
  Math.min(Number(headers['content-length'] ?? Number.POSITIVE_INFINITY), route.bodyBytesMax) <=
  (route.stream === 'upload' ? heldFileBytesMax : heldBytesMax);

/** The client ended it. Nobody is there to be answered. */
export class ClientGone extends Error implements Blameless {
  override readonly name = 'ClientGone';
  readonly isBlameless = true;
}

export const tooLarge = (bytesMax: number): Refusal =>
  new Refusal('payload_too_large', `The body is larger than the ${bytesMax} bytes that this route takes.`);

export const tooSlow = (): Refusal => new Refusal('request_timeout', 'The body did not arrive in time.');

/** @throws Refusal `payload_too_large` where the body says itself that it is. */
export const requireSize = ({ headers }: IncomingMessage, bytesMax: number): void => {
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw tooLarge(bytesMax);
};

/** A body as undici takes it. */
export interface Body {
  readonly content: Buffer | Readable;
  /** Whether everything that came was passed on, so that the rest is the client's to send. */
  readonly awaitsClient: () => boolean;
  /** Nobody needs it any more. */
  readonly leave: () => void;
}

const lingerMs = 5_000;

/**
 * Reads on, for a moment, what the client is still sending although it was answered: closing at once would reset the connection,
 * and the client would see that instead of the answer. Resolves when the body is over, or the moment.
 */
export const bodyOver = (request: IncomingMessage): Promise<void> =>
  new Promise((resolve) => {
    if (request.complete || request.destroyed) return resolve();
    request.unpipe();
    request.resume();
    const timer = setTimeout(resolve, lingerMs);
    const over = () => {
      clearTimeout(timer);
      resolve();
    };
    request.once('end', over);
    request.once('close', over);
  });

/** Up to here it costs less to copy an answer behind its head than to hand the system two pieces. */
const copiedBytesMax = 16 * 1024;

/** Ends an answer that is written up to `last`, and the connection with it where its client does not stop sending. */
export const endAfterBody = (response: ServerResponse, last?: Buffer): void => {
  const { req: request } = response;
  if (request.complete) {
    // Node joins texts with the head of the answer, which is one too.
    if (last !== undefined && last.length <= copiedBytesMax) response.end(last.toString('latin1'), 'latin1');
    else response.end(last);
    return;
  }
  if (last !== undefined) response.write(last);
  void bodyOver(request).then(() => response.end(() => request.complete || request.destroy()));
};
