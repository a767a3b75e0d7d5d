/** What Node's HTTP server does not tell about its connections, and which of them it would wait for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** What proxies write in their logs for a client that did not wait. It is never sent. */
const clientGoneStatus = 499;

/** The status that the client was told, or 499 where it went away before it was told any. */
export const statusOf = ({ raw }: FastifyReply): number => (raw.headersSent ? raw.statusCode : clientGoneStatus);

/**
 * Of several requests in the pipeline of one connection, Node tells only the answer whose turn it is that the connection closed;
 * those behind it would go on for nobody. This tells them too.
 */
export const followPipelined = (request: IncomingMessage, response: ServerResponse): void => {
  if (response.socket !== null) return;
  const { socket } = request;
  const close = () => response.emit('close');
  socket.setMaxListeners(0);
  socket.once('close', close);
  response.once('socket', () => socket.off('close', close));
};

/** Long enough for a request that is already on its way. */
const quietMs = 250;

/**
 * A server that closes waits for each connection that is not idle, and one on which nothing was ever sent does not count as idle.
 * Once every request is answered, such connections are cut: whoever only holds one open must not decide how long we live.
 */
export const closeWhenQuiet = (app: FastifyInstance) => {
  let requests = 0;
  let isClosing = false;
  let timer: NodeJS.Timeout | undefined;

  const cut = () => {
    clearTimeout(timer);
    if (requests > 0) return;
    timer = setTimeout(() => requests === 0 && app.server.closeAllConnections(), quietMs);
  };
  app.addHook('preClose', (done) => {
    isClosing = true;
    cut();
    done();
  });
  app.addHook('onClose', (_instance, done) => {
    clearTimeout(timer);
    done();
  });
  return {
    /** A request has come. */
    begin: () => {
      requests += 1;
    },
    /** One is over. */
    end: () => {
      requests -= 1;
      if (isClosing) cut();
    },
  };
};
