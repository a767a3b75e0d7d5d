/** Bodies on their way to a service: never held, and counted, since a chunked one does not say how long it is. */
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { Refusal } from '@settler/chassis/refusal';
import type { Blameless } from './breaker.ts';

export const hasBody = ({ method, headers }: IncomingMessage): boolean => {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
};

/** The client's doing: it must not count against the service that the body was on its way to. */
class TooLarge extends Refusal implements Blameless {
  readonly isBlameless = true;

  constructor(bytesMax: number) {
    super('payload_too_large', `The body is larger than the ${bytesMax} bytes that this route takes.`);
  }
}

/** @throws Refusal `payload_too_large` where the body says itself that it is. */
export const requireSize = ({ headers }: IncomingMessage, bytesMax: number): void => {
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw new TooLarge(bytesMax);
};

/**
 * A stream of its own and not the request itself: undici destroys what it could not send, and with the request the client's
 * socket would go before the client was told why.
 */
export const countedBody = (request: IncomingMessage, bytesMax: number): Readable => {
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new TooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  return request.pipe(counted);
};

const lingerMs = 5_000;

/**
 * Reads on, for a moment, what the client is still sending after it has been answered: closing at once would reset the connection,
 * and the client would see that instead of the answer.
 */
export const linger = (request: IncomingMessage): void => {
  if (request.complete || request.destroyed) return;
  request.resume();
  const timer = setTimeout(() => request.destroy(), lingerMs);
  request.once('end', () => clearTimeout(timer));
  request.once('close', () => clearTimeout(timer));
};
