/** HTTP as bytes, for what no client would send. */
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Connection {
  readonly socket: Socket;
  readonly send: (bytes: string | Buffer) => void;
  /** The next whole answer. @throws where the connection ends before it is there */
  readonly answer: () => Promise<RawAnswer>;
  /** Everything that has come and was not yet taken as an answer. */
  readonly rest: () => string;
  /** Whether the other side reset the connection instead of closing it. */
  readonly closed: Promise<{ readonly isReset: boolean }>;
}

export const open = async (url: string): Promise<Connection> => {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let received = '';
  let isOver = false;
  let isReset = false;
  let wake = () => {};
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    wake();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    isReset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
  });
  const closed = new Promise<{ isReset: boolean }>((resolve) => {
    socket.once('close', () => {
      isOver = true;
      wake();
      resolve({ isReset });
    });
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  return {
    socket,
    send: (bytes) => socket.write(bytes),
    rest: () => received,
    closed,
    answer: async () => {
      for (;;) {
        const found = readAnswer(received);
        if (found !== undefined) {
          received = received.slice(found.length);
          return found.answer;
        }
        if (isOver) throw new Error(`the connection ended after ${JSON.stringify(received.slice(0, 200))}`);
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
};

const readAnswer = (text: string): { answer: RawAnswer; length: number } | undefined => {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const status = Number(statusLine.split(' ')[1]);
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const start = headEnd + 4;
  const hasNoBody = status < 200 || status === 204 || status === 304;
  if (headers['transfer-encoding'] === 'chunked' && !hasNoBody) {
    const found = readChunks(text, start);
    return found && { answer: { status, headers, body: found.body }, length: found.end };
  }
  const length = hasNoBody ? 0 : Number(headers['content-length'] ?? 0);
  if (text.length < start + length) return undefined;
  return { answer: { status, headers, body: text.slice(start, start + length) }, length: start + length };
};

const readChunks = (text: string, start: number): { body: string; end: number } | undefined => {
  let body = '';
  for (let at = start; ; ) {
    const sizeEnd = text.indexOf('\r\n', at);
    if (sizeEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, sizeEnd), 16);
    const end = sizeEnd + 2 + size + 2;
    if (text.length < end) return undefined;
    if (size === 0) return { body, end };
    body += text.slice(sizeEnd + 2, sizeEnd + 2 + size);
    at = end;
  }
};

/** One request on a connection of its own. */
export const sendRaw = async (url: string, bytes: string | Buffer): Promise<RawAnswer> => {
  const connection = await open(url);
  connection.send(bytes);
  try {
    return await connection.answer();
  } finally {
    connection.socket.destroy();
  }
};
