/** What has to be said of a route by hand: how to ask for it rightly, and what goes wrong with it alone. */
import type { Databases } from '../databases.ts';
import type { Party } from '../party.ts';

/** Where routes are asked: two organizations with one of everything, and what stands behind them. */
export interface Setting {
  readonly url: string;
  readonly ours: Party;
  readonly theirs: Party;
  readonly databases: Databases;
}

export interface Wanted {
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, with its type. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who asks, where it is not the key that may do everything. */
  readonly as?: 'user' | 'spare' | 'anonymous' | 'elsewhere';
}

export interface Refusal {
  readonly what: string;
  readonly status: number;
  readonly code: string;
  /** Which of the `errors` there has to be. */
  readonly place?: string;
  readonly ask: (setting: Setting) => Promise<Wanted> | Wanted;
}

export interface Case {
  readonly status: number;
  /** A right request of this party; it may make what it needs first. */
  readonly ask: (party: Party, setting: Setting) => Promise<Wanted> | Wanted;
  /** Another right body in place of this one: under the same Idempotency-Key it is refused. */
  readonly otherBody?: (body: object) => unknown;
  /** Whether the answer is known without asking the database: nothing that is missing there can break it. */
  readonly isFromMemory?: true;
  /** Right requests that are answered with another status. */
  readonly others?: readonly Pick<Refusal, 'what' | 'status' | 'ask'>[];
  readonly refusals?: readonly Refusal[];
}

export type Cases = Readonly<Record<string, Case>>;

/** As ids that might be: nobody has them. */
export const nobodys = (prefix: string): string => `${prefix}_01jqv8m0c4e7r9t2w5y8a1b3d6`;

export const invalid = (what: string, place: string, ask: Refusal['ask']): Refusal => ({
  what,
  status: 400,
  code: 'validation_failed',
  place,
  ask,
});
export const conflict = (what: string, ask: Refusal['ask']): Refusal => ({ what, status: 409, code: 'conflict', ask });
export const missing = (what: string, ask: Refusal['ask']): Refusal => ({ what, status: 404, code: 'not_found', ask });
