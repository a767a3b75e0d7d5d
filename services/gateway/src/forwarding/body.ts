/**
 * Bodies on their way to a service. What is a few kilobytes long goes there in one piece, once it is here; everything else is never held,
 * and counted, since a chunked one does not say how long it is.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Readable, Transform } from 'node:stream';
import { Refusal } from '@settler/chassis/refusal';
import type { Blameless } from './breaker.ts';

export const hasBody = ({ method, headers }: IncomingMessage): boolean => {
  if (method === 'GET' || method === 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
};

/** The client ended it. Nobody is there to be answered. */
export class ClientGone extends Error implements Blameless {
  override readonly name = 'ClientGone';
  readonly isBlameless = true;
}

class TooLarge extends Refusal {
  constructor(bytesMax: number) {
    super('payload_too_large', `The body is larger than the ${bytesMax} bytes that this route takes.`);
  }
}

export class TooSlow extends Refusal {
  constructor() {
    super('request_timeout', 'The body did not arrive in time.');
  }
}

/** @throws Refusal `payload_too_large` where the body says itself that it is. */
export const requireSize = ({ headers }: IncomingMessage, bytesMax: number): void => {
  if (Number(headers['content-length'] ?? 0) > bytesMax) throw new TooLarge(bytesMax);
};

/** A body as undici takes it. */
export interface Body {
  readonly content: Buffer | Readable;
  /** Whether everything that came was passed on, so that the rest is the client's to send. */
  readonly awaitsClient: () => boolean;
  /** Nobody needs it any more. */
  readonly leave: () => void;
}

/** Up to here it costs less to hold a body than to pass it on piece by piece. */
const heldBytesMax = 16 * 1024;

export const isHeld = ({ headers }: IncomingMessage): boolean => Number(headers['content-length'] ?? Number.NaN) <= heldBytesMax;

/** @throws TooSlow, ClientGone */
export const heldBody = async (request: IncomingMessage, timeoutMs: number): Promise<Body> => {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => reject(new TooSlow()), timeoutMs);
  const pieces: Buffer[] = [];
  const take = (piece: Buffer) => pieces.push(piece);
  // A request is closed too when all of it is here.
  const gone = () => request.complete || reject(new ClientGone('the client went away'));
  request.on('data', take).once('end', resolve).once('close', gone).once('error', gone);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    request.off('data', take).off('end', resolve).off('close', gone);
  }
  const [first] = pieces;
  return {
    content: pieces.length === 1 && first !== undefined ? first : Buffer.concat(pieces),
    awaitsClient: () => false,
    leave: () => {},
  };
};

/**
 * A stream of its own and not the request itself: undici destroys what it could not send, and with the request the client's
 * socket would go before the client was told why.
 */
export const countedBody = (request: IncomingMessage, bytesMax: number): Body => {
  let bytes = 0;
  const counted = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > bytesMax) done(new TooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  // Whoever sends it is told by undici. Once undici has let go of it, nobody needs to be, and the process must not end of it.
  counted.on('error', () => {});
  request.pipe(counted);
  return {
    content: counted,
    awaitsClient: () => !request.complete && request.readableLength + counted.writableLength + counted.readableLength === 0,
    leave: () => void counted.destroy(),
  };
};

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
