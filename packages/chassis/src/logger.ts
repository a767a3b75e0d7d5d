/** JSON logs with the request's and trace's id in every line, and without secrets or personal data. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { currentContext } from './context.ts';
import type { PastRequest } from './past-requests.ts';

export type { Logger } from 'pino';

// Names under which secrets and personal data travel. A path list because pino's redaction is by path; `*` is one level.
const secretNames = [
  'authorization',
  'x-api-key',
  'cookie',
  'set-cookie',
  'password',
  'currentPassword',
  'newPassword',
  'token',
  'accessToken',
  'refreshToken',
  'secret',
  'key',
  'apiKey',
  'clientSecret',
  'connectionString',
  'email',
  'totp',
  'signature',
];
const redactedPaths = secretNames.flatMap((name) => {
  const part = /^[A-Za-z]+$/.test(name) ? `.${name}` : `["${name}"]`;
  return [part.replace(/^\./, ''), `*${part}`, `*.*${part}`];
});

export const createLogger = (service: string, level: string, destination?: DestinationStream): Logger => {
  const options = {
    level,
    base: { service },
    timestamp: createClock(),
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    mixin: () => {
      const context = currentContext();
      return context === undefined ? {} : { requestId: context.requestId, traceId: context.traceId };
    },
  };
  return pino(options, destination ?? standardOutput());
};

/** RFC 3339 in milliseconds, as pino's own `isoTime`; of all lines of one millisecond it is made once. */
const createClock = (): ((nowMs?: number) => string) => {
  let atMs = Number.NaN;
  let text = '';
  return (nowMs = Date.now()) => {
    if (nowMs !== atMs) {
      atMs = nowMs;
      text = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return text;
  };
};

/**
 * Writes the lines of requests, from pino's own parts but each in one go: there is one for every request, with no secret to look for, and
 * as an object it would cost three times as much. None of its texts needs escaping: ids that were checked, patterns of ours, and methods,
 * which are tokens.
 *
 * What services ask each other and was answered well is for who debugs: each gateway asks identity for revocations once a second, which was
 * nearly all that an idle installation ever logged.
 */
export const createRequestLog = (logger: Logger): ((requests: readonly PastRequest[]) => void) => {
  const parts = logger as unknown as Readonly<Record<symbol, unknown>>;
  const bindings = parts[pino.symbols.chindingsSym] as string;
  const stream = parts[pino.symbols.streamSym] as DestinationStream;
  const timeAt = createClock();
  return (requests) => {
    if (!logger.isLevelEnabled('info')) return;
    const tellsAll = logger.isLevelEnabled('debug');
    for (const { requestId, traceId, method, route, status, ms, isCut, endedAtMs } of requests) {
      if (route.startsWith('/health') || route === '/metrics') continue;
      const isRoutine = route.startsWith('/internal/') && status < 400 && !isCut;
      if (isRoutine && !tellsAll) continue;
      const cut = isCut ? ',"isCut":true' : '';
      stream.write(
        `{"level":"${isRoutine ? 'debug' : 'info'}"${timeAt(endedAtMs)}${bindings},"requestId":"${requestId}","traceId":"${traceId}","method":"${method}","route":"${route}","status":${status},"ms":${Math.round(ms)}${cut},"msg":"request"}\n`,
      );
    }
  };
};

const latestMs = 100;
const bytesAtOnce = 32 * 1024;
/** The most that one letter of a text becomes in UTF-8. */
const bytesPerLetterMax = 3;

/**
 * Lines go out together, a moment late: one write for each would be a tenth of what a request costs, and as much again what
 * sonic-boom does to find out how long each one is. They wait as bytes, since what texts are put together from would lie about until
 * they are written. What ends the process sends the rest.
 */
const standardOutput = (): DestinationStream => {
  let bytes = Buffer.allocUnsafeSlow(bytesAtOnce);
  let used = 0;
  // Before pino's own, which write what was handed over.
  process.on('beforeExit', () => hand());
  process.on('exit', () => hand());
  // Its types know texts alone.
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: bytesAtOnce / 2,
    maxWrite: 2 * bytesAtOnce,
    contentMode: 'buffer',
  } as object) as unknown as { readonly write: (bytes: Buffer) => void; readonly flush: () => void };
  const hand = (): void => {
    if (used === 0) return;
    output.write(bytes.subarray(0, used));
    bytes = Buffer.allocUnsafeSlow(bytesAtOnce);
    used = 0;
  };
  const flush = (): void => {
    hand();
    output.flush();
  };
  setInterval(flush, latestMs).unref();
  return {
    write: (line) => {
      const bytesMax = line.length * bytesPerLetterMax;
      if (used + bytesMax > bytesAtOnce) hand();
      if (bytesMax > bytesAtOnce) output.write(Buffer.from(line));
      else used += bytes.write(line, used);
    },
  };
};
