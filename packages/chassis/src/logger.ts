/** JSON logs with the request's and trace's id in every line, and without secrets or personal data. */
import { type DestinationStream, type Logger, pino } from 'pino';
import { currentContext } from './context.ts';

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
const createClock = (): (() => string) => {
  let atMs = Number.NaN;
  let text = '';
  return () => {
    const nowMs = Date.now();
    if (nowMs !== atMs) {
      atMs = nowMs;
      text = `,"time":"${new Date(nowMs).toISOString()}"`;
    }
    return text;
  };
};

const latestMs = 100;
const bytesAtOnce = 32 * 1024;

/**
 * Lines go out together, a moment late: one write for each would be a tenth of what a request costs, and as much again what
 * sonic-boom does to find out how long each one is. What ends the process sends the rest.
 */
const standardOutput = (): DestinationStream => {
  let lines = '';
  const hand = (): void => {
    if (lines !== '') output.write(lines);
    lines = '';
  };
  // Before pino's own, which write what was handed over.
  process.on('beforeExit', hand);
  process.on('exit', hand);
  const output = pino.destination({ dest: 1, sync: false, minLength: bytesAtOnce, maxWrite: 2 * bytesAtOnce });
  const flush = (): void => {
    hand();
    output.flush();
  };
  setInterval(flush, latestMs).unref();
  return {
    write: (line) => {
      lines += line;
      if (lines.length >= bytesAtOnce) hand();
    },
  };
};
