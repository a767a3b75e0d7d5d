/** What is not HTTP, or is too much of it, never reaches a route. It is answered like everything else: with a problem document. */
import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { contextFrom, inContext } from './context.ts';
import type { Logger } from './logger.ts';
import { problemAnswer } from './problem.ts';
import { Refusal } from './refusal.ts';

type Fault = Error & { readonly code?: string };
/** With the answer that is being sent on it, which Node keeps here and looks at itself before it answers a fault. */
type Connection = Socket & { readonly _httpMessage?: ServerResponse | null };

const refusalOf = ({ code }: Fault): readonly [number, Refusal] => {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, new Refusal('request_timeout', 'The request did not arrive in time.')];
    case 'HPE_HEADER_OVERFLOW':
      return [431, new Refusal('malformed_request', 'The headers of the request are too large.')];
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, new Refusal('payload_too_large', 'The chunk extensions of the body are too large.')];
    default:
      return [400, new Refusal('malformed_request', 'The request is not valid HTTP.')];
  }
};

/** Long enough to read on what the client was still sending: closed at once, it would see a reset in place of the answer. */
const lingerMs = 1_000;
const answered = new WeakSet<Socket>();

/**
 * What Fastify's `clientErrorHandler` does, with `always` among the headers of its answer. The connection is of no use afterwards: nobody
 * knows where its next request begins.
 */
export const answerUnreadable = (log: Logger, always: Readonly<Record<string, string>>, fault: Fault, socket: Connection): void => {
  if (fault.code === 'ECONNRESET' || socket.destroyed) {
    socket.destroy();
    return;
  }
  if (answered.has(socket)) return;
  answered.add(socket);
  const current = socket._httpMessage;
  // What came before it was readable: its answer is owed, and the last one.
  if (current?.req.complete === true) {
    current.shouldKeepAlive = false;
    current.once('finish', () => socket.destroySoon());
    return;
  }
  // Within an answer that has begun there is no place for another one.
  if (!socket.writable || current?.headersSent === true) {
    socket.destroy();
    return;
  }
  const requestId = randomUUID();
  inContext(contextFrom(requestId, undefined), () => {
    log.debug({ err: fault }, 'a request could not be read');
    const [status, refusal] = refusalOf(fault);
    socket.end(answerOf(status, refusal, { ...always, 'x-request-id': requestId }));
  });
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('end', () => socket.destroy());
  socket.once('close', () => clearTimeout(timer));
};

const answerOf = (status: number, refusal: Refusal, always: Readonly<Record<string, string>>): string => {
  const { body, headers } = problemAnswer(refusal);
  const text = JSON.stringify({ ...(body as object), status });
  const lines = {
    ...headers,
    'content-length': String(Buffer.byteLength(text)),
    ...always,
    connection: 'close',
  };
  const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n${text}`;
};
