/** A small HTTP server in the place of a service: it keeps what arrives and answers as it is told. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface StandIn {
  readonly url: string;
  /** Without the gateway's own questions. */
  readonly arrived: Arrived[];
  readonly last: () => Arrived;
  /** How requests are answered from now on. */
  readonly answer: (handler: Handler) => void;
  readonly isOwnQuestion: (url: string) => boolean;
  /** Refuses connections until `start`, and cuts those there are. */
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
}

const running = new Set<StandIn>();

/** Reads the whole body, and answers 200 with what came. */
export const echo: Handler = async (request, response) => {
  const body = await readAll(request);
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ method: request.method, url: request.url, body: body.toString() }));
};

export const readAll = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
};

export const json =
  (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Handler =>
  (request, response) => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
  };

export const startStandIn = async (): Promise<StandIn> => {
  const arrived: Arrived[] = [];
  let handler: Handler = echo;
  let server: Server | undefined;
  let port = 0;
  const isOwnQuestion = (url: string) => url.startsWith('/health') || url === '/openapi.json';

  const start = async (): Promise<void> => {
    server = createServer((request, response) => {
      const { method = '', url = '', headers, rawHeaders } = request;
      response.on('error', () => {});
      if (isOwnQuestion(url)) return void response.end('{}');
      arrived.push({ method, url, headers, rawHeaders });
      // A handler that is cut off has nobody to tell.
      Promise.resolve(handler(request, response)).catch(() => response.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    port = (server.address() as AddressInfo).port;
  };
  await start();
  const standIn: StandIn = {
    url: `http://127.0.0.1:${port}`,
    arrived,
    last: () => {
      const found = arrived.at(-1);
      if (found === undefined) throw new Error('nothing has arrived');
      return found;
    },
    answer: (next) => {
      handler = next;
    },
    isOwnQuestion,
    start,
    stop: async () => {
      if (server === undefined) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      server = undefined;
      await closed;
    },
  };
  running.add(standIn);
  return standIn;
};

export const stopStandIns = async (): Promise<void> => {
  await Promise.all([...running].map((standIn) => standIn.stop()));
  running.clear();
};
