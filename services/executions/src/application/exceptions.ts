import type { ExceptionState, ExceptionTransition, Refused } from '../domain/exception-life.ts';
import type { Actor } from './ports.ts';

export interface CommentView {
  readonly id: string;
  readonly text: string;
  readonly createdBy: { readonly type: string; readonly id: string };
  readonly createdAt: string;
}

export interface HistoryEntry {
  readonly at: string;
  readonly actor: { readonly type: string; readonly id: string };
  readonly action: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

export type Decide = (state: ExceptionState) => ExceptionTransition | Refused;

export interface ExceptionStore {
  /** @throws Refusal `not_found`, `version_conflict`, or `conflict` with what `decide` refuses */
  readonly decide: (id: string, ifMatch: number | undefined, actor: Actor, decide: Decide) => Promise<void>;
  /** @throws Refusal `not_found`, or `conflict` where it has as many as it may */
  readonly comment: (id: string, comment: { readonly id: string; readonly text: string }, actor: Actor) => Promise<CommentView>;
}
