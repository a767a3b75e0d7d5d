/** An expected refusal: the caller is told the code and the detail. Everything else that is thrown is a bug and answers 500. */
import type { ProblemCode, ProblemError } from '@settler/contracts/problems';

export interface RefusalDetails {
  readonly errors?: readonly ProblemError[];
  readonly requiredScope?: string;
  readonly retryAfterSeconds?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
  /** Whether the log has the fault already, from when it began: while it lasts, a line for each request says nothing new. */
  readonly isReported?: boolean;
}

export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly code: ProblemCode;
  readonly details: RefusalDetails;

  constructor(code: ProblemCode, detail: string, details: RefusalDetails = {}) {
    super(detail, { cause: details.cause });
    this.code = code;
    this.details = details;
  }
}

/** Unknown and somebody else's look the same. */
export const notFound = (what: string): Refusal => new Refusal('not_found', `There is no such ${what}.`);

/** A body that has the right shape and still cannot be: one fault per path. */
export const invalid = (errors: readonly ProblemError[]): Refusal =>
  new Refusal(
    'validation_failed',
    errors
      .map((error) => `${error.path}: ${error.message}`)
      .join('; ')
      .slice(0, 1000),
    { errors },
  );
