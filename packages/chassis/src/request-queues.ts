/**
 * How much of what one connection asks is worked on at once. A client of HTTP/1.1 may send requests without waiting for answers, and Node
 * hands over all that have come in one piece: of 64 KiB, that was 1,500 requests in one turn of the event loop, whoever sent them, and nobody
 * else was served before the last was begun. So few of a connection run at a time, the others wait until one of these is over, and what
 * waits for a client that has gone is never begun.
 *
 * Only requests behind another one cost anything here: most clients send the next when they have the answer, and it is their turn at once.
 */
import { AsyncResource } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Beside the one whose turn it is. */
const besideMax = 15;
/** What comes behind so many is not taken. */
const waitingMax = 240;

interface Queue {
  beside: number;
  readonly waiting: (() => void)[];
  /** The answer to what came last. */
  newest: ServerResponse | undefined;
  /** Nothing more is taken of this connection. */
  isOver: boolean;
}

export const inQueues = (handle: Handler): Handler => {
  const queues = new WeakMap<Socket, Queue>();
  return (request, response) => {
    // Node gives an answer its socket when its turn has come.
    if (response.socket !== null) return handle(request, response);
    const { socket } = request;
    const queue = queues.get(socket) ?? { beside: 0, waiting: [], newest: undefined, isOver: false };
    queues.set(socket, queue);

    const begin = (): void => {
      queue.beside += 1;
      response.once('close', () => {
        queue.beside -= 1;
        // Later, so that others are served in between, and so that it is known by then whether the client has gone.
        setImmediate(() => (socket.writable ? queue.waiting.shift()?.() : queue.waiting.splice(0)));
      });
      handle(request, response);
    };
    if (queue.isOver) return void socket.pause();
    if (queue.beside < besideMax) return begin();
    if (queue.waiting.length >= waitingMax) return end(queue, socket);
    // It is begun when another one is over, and has nothing to do with that one: its trace least of all.
    queue.waiting.push(AsyncResource.bind(begin));
    queue.newest = response;
  };
};

/** What was taken is answered. The rest was not looked at, which the client may take from the close (RFC 9112, 9.3.2), and ask again. */
const end = (queue: Queue, socket: Socket): void => {
  queue.isOver = true;
  if (queue.newest !== undefined) queue.newest.shouldKeepAlive = false;
  socket.pause();
};
