/** A body that goes to the service as it comes, and is never held. It is counted, since a chunked one does not say how long it is. */
import type { IncomingMessage } from 'node:http';
import { Transform } from 'node:stream';
import { type Body, tooLarge, tooSlow } from './body.ts';
import { followPace, type Pace } from './pace.ts';

export interface StreamedBodyOptions {
  readonly bytesMax: number;
  readonly pace: Pace;
  /** Says when whoever sends it may no longer. */
  readonly ending: AbortSignal | undefined;
}

/** How often the pace is looked at while a client may stand still. */
const looks = 10;

/**
 * A stream of its own and not the request itself: undici destroys what it could not send, and with the request the client's
 * socket would go before the client was told why.
 */
export const streamedBody = (request: IncomingMessage, { bytesMax, pace, ending }: StreamedBodyOptions): Body => {
  let bytes = 0;
  const content = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      bytes += chunk.length;
      if (bytes > bytesMax) done(tooLarge(bytesMax));
      else done(null, chunk);
    },
  });
  const awaitsClient = (): boolean => !request.complete && request.readableLength + content.writableLength + content.readableLength === 0;
  // What was all here before is the affair of whoever sent it when they still might.
  const end = (): void => {
    if (!request.complete) content.destroy(ending?.reason);
  };
  const keepsPace = followPace(pace);
  const lookMs = pace.stallMs / looks;
  const timer = setInterval(() => {
    if (!keepsPace(lookMs, bytes, awaitsClient())) content.destroy(tooSlow());
  }, lookMs);
  // Whoever sends it is told by undici. Once undici has let go of it, nobody needs to be, and the process must not end of it.
  content.on('error', () => {});
  content.once('close', () => {
    clearInterval(timer);
    ending?.removeEventListener('abort', end);
  });
  ending?.addEventListener('abort', end);
  request.pipe(content);
  if (ending?.aborted) end();
  return { content, awaitsClient, leave: () => void content.destroy() };
};
