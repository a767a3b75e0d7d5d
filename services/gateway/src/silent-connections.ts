/**
 * Connections on which nothing moves are closed. Node's own timeout for them would be wound up anew with every piece in either direction,
 * several times for each request; so only a connection that was found silent gets one.
 */
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** They are gone at the latest when they were silent for `silentMs` and an eighth of it twice. */
export const closeSilent = (app: FastifyInstance, silentMs: number): void => {
  const moved = new Map<Socket, number>();
  app.server.on('connection', (socket) => {
    moved.set(socket, 0);
    socket.once('close', () => moved.delete(socket));
  });
  const look = (): void => {
    for (const [socket, before] of moved) {
      const bytes = socket.bytesRead + socket.bytesWritten;
      // One that waits for its next request has a timeout already.
      if (bytes === before && !socket.timeout) socket.setTimeout(silentMs);
      moved.set(socket, bytes);
    }
  };
  const timer = setInterval(look, silentMs / 8).unref();
  app.addHook('onClose', (_instance, done) => {
    clearInterval(timer);
    done();
  });
};
