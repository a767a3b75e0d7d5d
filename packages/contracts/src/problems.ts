/**
 * Every problem code a caller can meet, with its HTTP status, its title, and what it means to whoever meets it.
 * Errors are RFC 9457 problem documents; `code` is the part that programs may rely on.
 */
import { z } from 'zod';

export const problems = {
  validation_failed: {
    status: 400,
    title: 'The request is not valid',
    meaning:
      'Something in the path, the query or the body is not what the route takes. `errors` names each place and what is wrong with it.',
  },
  malformed_request: {
    status: 400,
    title: 'The request could not be read',
    meaning:
      'The request could not be read at all: JSON that does not parse or is nested too deep, a body that is not as long as announced. Where its headers have more than 16 KiB, the status is 431.',
  },
  unauthenticated: {
    status: 401,
    title: 'Credentials are missing or not valid',
    meaning: 'No credentials, two different ones, or one that is unknown, expired or revoked. Log in again or use another key.',
  },
  forbidden: {
    status: 403,
    title: 'These credentials may not do this',
    meaning:
      'The credentials are good and do not reach: `requiredScope` names the scope that is missing, the address is outside the key’s `allowedIps`, or the route is for users and not for API keys.',
  },
  not_found: {
    status: 404,
    title: 'There is no such resource',
    meaning: 'No such route, or no such resource in this organization. What belongs to another organization does not exist.',
  },
  method_not_allowed: {
    status: 405,
    title: 'The resource does not support this method',
    meaning: 'The path exists, the method does not. `Allow` lists those that do.',
  },
  request_timeout: {
    status: 408,
    title: 'The request took too long to arrive',
    meaning: 'The headers or the body of the request came too slowly. Nothing was done: send it again, over a better connection.',
  },
  conflict: {
    status: 409,
    title: 'The resource is not in a state that allows this',
    meaning: 'The resource is in a state that excludes this: a job that runs already, an execution that is over, an address that is taken.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'A request with this Idempotency-Key is still being processed',
    meaning:
      'A request with this `Idempotency-Key` is being worked on, or was when the process that did so died: then it is for another one after a minute. Ask again in a moment with the same key.',
  },
  gone: {
    status: 410,
    title: 'The resource was here and is kept no longer',
    meaning: 'What this asks for was kept for its time and is gone: the results of an execution that is older than they are kept.',
  },
  version_conflict: {
    status: 412,
    title: 'The resource was changed by someone else',
    meaning: '`If-Match` names a revision that is no longer the current one. Read the resource again and decide anew.',
  },
  payload_too_large: {
    status: 413,
    title: 'The request body is too large',
    meaning: 'The body is larger than the route takes; its limit is in the [table of routes](routes.md).',
  },
  unsupported_media_type: {
    status: 415,
    title: 'The media type of the body is not supported',
    meaning: 'The route does not take this `Content-Type`, or the body is packed: no route takes a `Content-Encoding`.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'This Idempotency-Key was used with another request',
    meaning: 'This `Idempotency-Key` was sent with another body within 24 hours. A new request needs a new key.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    meaning:
      'The limit of the key, session, organization or address is used up, or too many logins failed. `Retry-After` says when to go on.',
  },
  internal: {
    status: 500,
    title: 'Something went wrong on our side',
    meaning: 'A fault of ours; `traceId` finds it in the logs. With an `Idempotency-Key` it is safe to try again.',
  },
  upstream_unavailable: {
    status: 503,
    title: 'A service that this request needs is not available',
    meaning:
      'A service or a server behind the gateway is away, or others were at the same at this moment and the database has ended this. Try again after `Retry-After`, with the same `Idempotency-Key`.',
  },
} as const satisfies Record<string, { status: number; title: string; meaning: string }>;

export type ProblemCode = keyof typeof problems;
export const problemCodes = Object.keys(problems) as ProblemCode[];

/** One fault of a request: where it is (`source.config.fields`, `passes[0].match[1].threshold`) and what is wrong with it. */
export const problemError = z.object({
  path: z.string().describe('Where: `rules.passes[0].match[1].threshold`; empty for the body as a whole.'),
  message: z.string().describe('What is wrong, as the end of a sentence.'),
});
export type ProblemError = z.infer<typeof problemError>;

/**
 * What is wrong with a value, in the words of its schema; of one that is not there, neither its type nor its choices are what is wrong.
 * Whoever checks has to ask for the input to be reported (`reportInput`), or nothing is ever missing.
 */
export const messageOf = (issue: z.core.$ZodIssue): string => {
  if (isMissing(issue)) return 'is missing';
  return isGeneric.test(issue.message) ? (plainly(issue) ?? issue.message) : issue.message;
};

/** Words that zod has for every schema which has none of its own. */
const isGeneric = /^(Invalid (input: expected|option)|Too (small|big): )/;

const kinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const plainly = (issue: z.core.$ZodIssue): string | undefined => {
  switch (issue.code) {
    case 'invalid_type': {
      const kind = kinds[issue.expected];
      if (kind === undefined) return undefined;
      const isFraction = issue.expected === 'int' && typeof issue.input === 'number';
      return isFraction || !('input' in issue) ? `must be ${kind}` : `must be ${kind}, not ${kindOf(issue.input)}`;
    }
    case 'invalid_value':
      return `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return bounded(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big':
      return bounded(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    default:
      return undefined;
  }
};

const kindOf = (value: unknown): string => {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'boolean' ? 'a boolean' : (kinds[typeof value] ?? typeof value);
};

const counted: Readonly<Record<string, string>> = { string: 'character', array: 'item' };

const bounded = (origin: string, bound: string, limit: number | bigint): string => {
  const unit = counted[origin];
  return unit === undefined ? `must be ${bound} ${limit}` : `must have ${bound} ${limit} ${unit}${limit === 1 ? '' : 's'}`;
};

const isMissing = (issue: z.core.$ZodIssue): boolean =>
  (issue.code === 'invalid_type' || issue.code === 'invalid_value') &&
  issue.path.length > 0 &&
  'input' in issue &&
  issue.input === undefined;

/** The body of every answer that is not a success, sent as `application/problem+json`. */
export const problemDocument = z
  .object({
    type: z.string().describe('`urn:settler:problem:` and the code.'),
    title: z.string().describe('What the code means, for people.'),
    status: z.number().int().describe('The status of the answer.'),
    detail: z.string().describe('What is wrong this time, for people.'),
    code: z.enum(problemCodes).describe('For programs: it does not change.'),
    traceId: z.string().describe('Finds the request in logs and traces.'),
    errors: z.array(problemError).optional().describe('With `validation_failed`: every fault at its place.'),
    requiredScope: z.string().optional().describe('With `forbidden`: the scope that is missing, where it is one.'),
  })
  .meta({ id: 'Problem', description: 'An RFC 9457 problem document.' });
export type ProblemDocument = z.infer<typeof problemDocument>;

/** The `type` of a problem: a reference into the errors page of the documentation. */
export const problemType = (code: ProblemCode): string => `urn:settler:problem:${code}`;
