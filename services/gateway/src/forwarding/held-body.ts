/** A body that is held until all of it is here, and goes to the service in one piece. */
import type { IncomingMessage } from 'node:http';
import { type Body, ClientGone, tooLarge, tooSlow } from './body.ts';
import type { TakeMemory } from './body-memory.ts';

export interface HeldBodyOptions {
  readonly bytesMax: number;
  readonly timeoutMs: number;
  readonly take: TakeMemory;
  /** Says when whoever sends it may no longer. */
  readonly ending: AbortSignal | undefined;
}

const empty = Buffer.alloc(0);

/** @throws Refusal `payload_too_large`, `request_timeout`, whatever `take` throws and `ending` says; ClientGone */
export const heldBody = async (request: IncomingMessage, options: HeldBodyOptions): Promise<Body> => {
  const { bytesMax, timeoutMs, take, ending } = options;
  // Of one that is over already no event will tell that it is.
  if (request.socket.destroyed) throw new ClientGone('the client went away');
  ending?.throwIfAborted();
  const lengthMax = Number(request.headers['content-length'] ?? bytesMax);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let content: Buffer = empty;
  let length = 0;

  // One buffer that doubles, and no list of pieces: a client that sends single bytes would have us keep an object for each.
  const add = (piece: Buffer): void => {
    const needed = length + piece.length;
    if (needed > bytesMax) throw tooLarge(bytesMax);
    if (needed > content.length) {
      const room = length === 0 ? needed : Math.max(needed, Math.min(2 * content.length, lengthMax));
      take(room - content.length);
      if (length === 0) content = piece;
      else {
        const grown = Buffer.allocUnsafe(room);
        content.copy(grown, 0, 0, length);
        content = grown;
      }
    }
    if (content !== piece) piece.copy(content, length);
    length = needed;
  };
  const onData = (piece: Buffer): void => {
    try {
      add(piece);
    } catch (error) {
      request.off('data', onData);
      reject(error);
    }
  };
  const onAbort = (): void => reject(ending?.reason);
  // A request is closed too when all of it is here.
  const gone = () => request.complete || reject(new ClientGone('the client went away'));
  const timer = setTimeout(() => reject(tooSlow()), timeoutMs);
  ending?.addEventListener('abort', onAbort);
  request.on('data', onData).once('end', resolve).once('close', gone).once('error', gone);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
    ending?.removeEventListener('abort', onAbort);
    request.off('data', onData).off('end', resolve).off('close', gone);
  }
  return { content: content.subarray(0, length), awaitsClient: () => false, leave: () => {} };
};
