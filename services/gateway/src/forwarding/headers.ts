/**
 * Which headers pass, in both directions. Only what is named here does: what a client claims about itself, hop-by-hop headers and
 * whatever the next proxy may come to believe in never reach a service.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';

const requestHeaders = [
  'accept',
  'accept-language',
  'content-type',
  'content-length',
  'content-encoding',
  'content-disposition',
  'content-language',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'prefer',
  'tracestate',
  'user-agent',
] as const;

const responseHeaders = new Set([
  'allow',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-type',
  'deprecation',
  'etag',
  'idempotent-replayed',
  'last-modified',
  'link',
  'location',
  'preference-applied',
  'retry-after',
  'sunset',
  'vary',
  'www-authenticate',
]);

/** Ours, which come on top and which no client can make us leave out. */
export interface OwnHeaders {
  readonly authorization: string;
  readonly requestId: string;
  readonly traceparent: string;
}

/** Names and values in turn, as undici takes them fastest. */
export const headersToForward = (headers: IncomingHttpHeaders, hasBody: boolean, own: OwnHeaders): string[] => {
  const named = connectionListed(headers.connection);
  const result = ['authorization', own.authorization, 'x-request-id', own.requestId, 'traceparent', own.traceparent];
  for (const name of requestHeaders) {
    const value = headers[name];
    if (value === undefined || named.has(name) || (name === 'content-length' && !hasBody)) continue;
    result.push(name, Array.isArray(value) ? value.join(', ') : value);
  }
  return result;
};

const none: ReadonlySet<string> = new Set();
/** What the client says is meant for this connection only. */
const connectionListed = (connection: string | undefined): ReadonlySet<string> => {
  if (connection === undefined || connection === 'keep-alive' || connection === 'close') return none;
  const names = connection.split(',').map((name) => name.trim().toLowerCase());
  // The framing of the body is not the client's to take away.
  return new Set(names.filter((name) => name !== 'content-length'));
};

/**
 * `always` and `ours` are on every answer; of the service's only those that are allowed come on top. Names and values in turn, as Node
 * takes them fastest.
 */
export const headersToAnswer = (headers: IncomingHttpHeaders, always: readonly string[], ours: OutgoingHttpHeaders): string[] => {
  const named = connectionListed(headers.connection);
  const result = [...always];
  for (const name in ours) {
    // Both name what their own part of the answer depends on: CORS the origin, the service what it was asked for.
    if (name === 'vary' || !passes(name, headers[name], named)) result.push(name, textOf(ours[name]));
  }
  for (const name in headers) if (passes(name, headers[name], named)) result.push(name, textOf(headers[name]));
  return result;
};

const passes = (name: string, value: unknown, named: ReadonlySet<string>): boolean =>
  value !== undefined && responseHeaders.has(name) && !named.has(name);

const textOf = (value: OutgoingHttpHeaders[string]): string => (Array.isArray(value) ? value.join(', ') : String(value));
