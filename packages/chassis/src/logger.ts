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
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: redactedPaths, censor: '[redacted]' },
    mixin: () => {
      const context = currentContext();
      return context === undefined ? {} : { requestId: context.requestId, traceId: context.traceId };
    },
  };
  return pino(options, destination ?? standardOutput());
};

const latestMs = 100;
const bytesAtOnce = 4_096;

/** Lines go out together, a moment late: one write for each would be a tenth of what a request costs. What ends the process sends the rest. */
const standardOutput = (): DestinationStream => {
  const output = pino.destination({ dest: 1, sync: false, minLength: bytesAtOnce });
  setInterval(() => output.flush(), latestMs).unref();
  return output;
};
