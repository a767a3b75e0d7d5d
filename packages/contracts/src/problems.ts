/**
 * Every problem code a caller can meet, with its HTTP status and title.
 * Errors are RFC 9457 problem documents; `code` is the part that programs may rely on.
 */
import { z } from 'zod';

export const problems = {
  validation_failed: { status: 400, title: 'The request is not valid' },
  malformed_request: { status: 400, title: 'The request could not be read' },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  forbidden: { status: 403, title: 'These credentials may not do this' },
  not_found: { status: 404, title: 'There is no such resource' },
  method_not_allowed: { status: 405, title: 'The resource does not support this method' },
  conflict: { status: 409, title: 'The resource is not in a state that allows this' },
  idempotency_in_flight: { status: 409, title: 'A request with this Idempotency-Key is still being processed' },
  version_conflict: { status: 412, title: 'The resource was changed by someone else' },
  payload_too_large: { status: 413, title: 'The request body is too large' },
  unsupported_media_type: { status: 415, title: 'The media type of the body is not supported' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key was used with another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  upstream_unavailable: { status: 503, title: 'A service that this request needs is not available' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ProblemCode = keyof typeof problems;
export const problemCodes = Object.keys(problems) as ProblemCode[];

/** One fault of a request: where it is (`source.config.fields`, `passes[0].match[1].threshold`) and what is wrong with it. */
export const problemError = z.object({ path: z.string(), message: z.string() });
export type ProblemError = z.infer<typeof problemError>;

/** The body of every answer that is not a success, sent as `application/problem+json`. */
export const problemDocument = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.enum(problemCodes),
    traceId: z.string(),
    errors: z.array(problemError).optional(),
    requiredScope: z.string().optional(),
  })
  .meta({ id: 'Problem', description: 'An RFC 9457 problem document.' });
export type ProblemDocument = z.infer<typeof problemDocument>;

/** The `type` of a problem: a reference into the errors page of the documentation. */
export const problemType = (code: ProblemCode): string => `urn:settler:problem:${code}`;
