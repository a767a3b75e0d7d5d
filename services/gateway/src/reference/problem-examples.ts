/** A problem of each code, as the reference shows it. */
import { type ProblemCode, type ProblemDocument, problems, problemType } from '@settler/contracts/problems';

type Said = Pick<ProblemDocument, 'detail' | 'errors' | 'requiredScope'>;

const tolerance = { path: 'rules.passes[0].match[1].tolerance', message: 'must have absolute, percent, bps, below or above' };

const said: Readonly<Record<ProblemCode, Said>> = {
  validation_failed: { detail: `${tolerance.path}: ${tolerance.message}`, errors: [tolerance] },
  malformed_request: { detail: 'The body is not as long as its Content-Length says.' },
  unauthenticated: { detail: 'This needs an access token or an API key.' },
  forbidden: { detail: 'This needs the scope jobs:write.', requiredScope: 'jobs:write' },
  not_found: { detail: 'There is no such job.' },
  method_not_allowed: { detail: 'This resource takes GET, HEAD, POST.' },
  request_timeout: { detail: 'The body did not arrive in time.' },
  conflict: { detail: 'This job is archived and can no longer run.' },
  idempotency_in_flight: { detail: 'A request with this Idempotency-Key is still being processed; try again shortly.' },
  gone: { detail: 'The results of this execution were kept for their time and dropped on 2027-06-01; its report stays.' },
  version_conflict: { detail: 'If-Match names revision 6, but the resource is at revision 7; read it again.' },
  payload_too_large: { detail: 'The body is larger than the 1048576 bytes that this route takes.' },
  unsupported_media_type: { detail: 'The body must be JSON, and its Content-Type application/json.' },
  idempotency_key_reused: { detail: 'This Idempotency-Key was used with another body; use a new key for a new request.' },
  rate_limited: { detail: 'There were too many failed attempts; wait before the next one.' },
  internal: { detail: 'Something went wrong on our side; the trace id finds it in our logs.' },
  upstream_unavailable: { detail: 'The database cannot be reached at the moment.' },
};

export const problemExample = (code: ProblemCode): ProblemDocument => {
  const { status, title } = problems[code];
  return { type: problemType(code), title, status, code, traceId: '4bf92f3577b34da6a3ce929d0e0e4736', ...said[code] };
};
