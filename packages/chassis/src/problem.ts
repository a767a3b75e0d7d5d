/** Errors as RFC 9457 problem documents: one place that decides what a caller is told, and what only the log is told. */
import { becauseOf } from '@settler/contracts/internal/away';
import { messageOf, type ProblemDocument, type ProblemError, problems, problemType } from '@settler/contracts/problems';
import type { FastifyError } from 'fastify';
import type { z } from 'zod';
import type { Answer } from './answer.ts';
import { currentContext } from './context.ts';
import { isCancelled, isLockTimeout, isUnavailable, isVictim } from './database-errors.ts';
import { Refusal, type RefusalDetails } from './refusal.ts';

const errorsMax = 100;

export const problemAnswer = (refusal: Refusal): Answer => {
  const { status, title } = problems[refusal.code];
  const { errors, requiredScope, retryAfterSeconds, headers } = refusal.details;
  const body: ProblemDocument = {
    type: problemType(refusal.code),
    title,
    status,
    detail: refusal.message,
    code: refusal.code,
    traceId: currentContext()?.traceId ?? '',
    ...(errors === undefined ? {} : { errors: errors.slice(0, errorsMax) }),
    ...(requiredScope === undefined ? {} : { requiredScope }),
  };
  return {
    status,
    body,
    headers: {
      'content-type': 'application/problem+json; charset=utf-8',
      ...(status === 401 ? { 'www-authenticate': 'Bearer realm="settler"' } : {}),
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
      ...headers,
    },
  };
};

/** `passes[0].match[1].threshold`: how a person would write the place in code. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    const name = String(part);
    if (!/^[A-Za-z_$][\w$-]*$/.test(name)) return `${text}[${JSON.stringify(name.slice(0, 80))}]`;
    return text === '' ? name : `${text}.${name}`;
  }, '');

/** zod's issues as path and message: one per unknown field, and the branch of a union that came nearest instead of "invalid input". */
export const errorsOf = (issues: readonly z.core.$ZodIssue[], prefix: readonly PropertyKey[] = []): ProblemError[] =>
  issues.flatMap((issue): ProblemError[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({ path: pathText([...path, key]), message: 'is not a known field' }));
    // Of a name: what is wrong with it, which is told as if of its value.
    if (issue.code === 'invalid_key' && issue.issues.length > 0) return errorsOf(issue.issues, path);
    if (issue.code === 'invalid_union') {
      const nearest = issue.errors.toSorted((one, other) => deepest(other) - deepest(one) || one.length - other.length)[0];
      if (nearest !== undefined && nearest.length > 0) return errorsOf(nearest, path);
    }
    return [{ path: pathText(path), message: messageOf(issue) }];
  });

const deepest = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map((issue) => issue.path.length));

export const validationRefusal = (errors: readonly ProblemError[], details: RefusalDetails = {}): Refusal =>
  new Refusal(
    'validation_failed',
    errors
      .slice(0, 5)
      .map(({ path, message }) => (path === '' ? message : `${path}: ${message}`))
      .join('; ')
      .slice(0, 1_000),
    { ...details, errors },
  );

/** What Fastify itself refuses, in our terms. */
const refusalFor: Readonly<Record<string, (error: FastifyError) => Refusal>> = {
  // No id is that long, and an unknown one is simply not there.
  FST_ERR_MAX_PARAM_LENGTH: () => new Refusal('not_found', 'There is no such resource.'),
  FST_ERR_CTP_BODY_TOO_LARGE: () => new Refusal('payload_too_large', 'The body is larger than this route takes.'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: () =>
    new Refusal('unsupported_media_type', 'The body must be JSON, and its Content-Type application/json.'),
  FST_ERR_CTP_EMPTY_JSON_BODY: () => new Refusal('malformed_request', 'The body is empty, but its content type says JSON.'),
  FST_ERR_CTP_INVALID_JSON_BODY: (error) => new Refusal('malformed_request', `The body is not valid JSON: ${error.message}`.slice(0, 300)),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: () => new Refusal('malformed_request', 'The body is not as long as its Content-Length says.'),
};

/** The transaction was rolled back. Nothing is wrong with the service, nor with what was asked for at another time. */
const crowded = (detail: string, retryAfterSeconds: number, cause: unknown): Refusal =>
  new Refusal('upstream_unavailable', detail, { retryAfterSeconds, headers: becauseOf('contention'), cause });

/** Everything that can be thrown, as a refusal. `internal` says nothing of the cause to the caller. */
export const toRefusal = (error: unknown): Refusal => {
  if (error instanceof Refusal) return error;
  if (isUnavailable(error)) {
    return new Refusal('upstream_unavailable', 'The database cannot be reached at the moment.', { retryAfterSeconds: 2, cause: error });
  }
  if (isVictim(error) || isLockTimeout(error)) return crowded('Others were at the same at this moment; repeat the request.', 1, error);
  if (isCancelled(error)) return crowded('This took the database longer than it may; repeat the request later.', 10, error);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    const known = refusalFor[error.code];
    if (known !== undefined) return known(error as FastifyError);
  }
  if (error instanceof SyntaxError && 'statusCode' in error && error.statusCode === 400) {
    return new Refusal('malformed_request', `The body is not valid JSON: ${error.message}`.slice(0, 300));
  }
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode >= 400 &&
    error.statusCode < 500
  ) {
    return new Refusal('malformed_request', error.message.slice(0, 300), { cause: error });
  }
  return new Refusal('internal', 'Something went wrong on our side; the trace id finds it in our logs.', { cause: error });
};
