/**
 * The life of an exception in the hands of people.
 *
 *   open ⇄ in_progress → resolved | dismissed → open
 *
 * `resolved` says what became of the record; `dismissed` says that it needs nobody, and leaves the record as it is. A closed exception is
 * changed by nothing but being reopened. A run resolves those whose counterpart came, from open and in_progress alone.
 */
import type { Severity } from './exceptions.ts';
import { canonical } from './matching/canonical.ts';

export type ExceptionStatus = 'open' | 'in_progress' | 'resolved' | 'dismissed';
export type ManualResolution = 'matched_manually' | 'written_off' | 'expected_timing' | 'duplicate' | 'corrected_at_source' | 'other';
export type Resolution = ManualResolution | 'matched_later';

/** What people may change of it. */
export interface ExceptionState {
  readonly status: ExceptionStatus;
  readonly severity: Severity;
  /** By a person: then the rules no longer decide it. */
  readonly severityIsSet: boolean;
  readonly assigneeId: string | null;
  readonly resolution: Resolution | null;
}

export interface ExceptionChange {
  readonly assigneeId?: string | null | undefined;
  readonly status?: 'open' | 'in_progress' | 'dismissed' | undefined;
  readonly severity?: Severity | undefined;
}

/** A line of the history, and what the rest of the world is told. */
export type ExceptionEntry =
  | { readonly action: 'assigned'; readonly detail: { readonly from: string | null; readonly to: string | null } }
  | { readonly action: 'status_changed' | 'dismissed'; readonly detail: { readonly from: ExceptionStatus; readonly to: ExceptionStatus } }
  | { readonly action: 'severity_changed'; readonly detail: { readonly from: Severity; readonly to: Severity } }
  | {
      readonly action: 'resolved';
      readonly detail: {
        readonly resolution: Resolution;
        readonly note: string | null;
        readonly matchId?: string;
        readonly approvalId?: string;
      };
    }
  | {
      readonly action: 'approval_requested';
      readonly detail: { readonly approvalId: string; readonly resolution: ManualResolution; readonly note: string | null };
    }
  | {
      readonly action: 'approval_rejected' | 'approval_withdrawn';
      readonly detail: { readonly approvalId: string; readonly note: string | null };
    }
  | {
      readonly action: 'reopened';
      readonly detail: { readonly from: ExceptionStatus; readonly resolution: Resolution | null; readonly matchId?: string };
    };

export interface ExceptionTransition {
  readonly state: ExceptionState;
  /** Empty where nothing is different from what it was. */
  readonly entries: readonly ExceptionEntry[];
  /** Whether its record takes part in the next runs; undefined where that stays as it is. */
  readonly record?: 'retired' | 'restored';
}

/** A rule of the state machine that a request broke. */
export interface Refused {
  readonly refused: string;
}

export const isClosed = (status: ExceptionStatus): boolean => status === 'resolved' || status === 'dismissed';

export const changeException = (state: ExceptionState, change: ExceptionChange): ExceptionTransition | Refused => {
  if (isClosed(state.status)) return { refused: `This exception is ${state.status}; reopen it before you change it.` };
  const { assigneeId = state.assigneeId, status = state.status, severity = state.severity } = change;
  const entries: ExceptionEntry[] = [];
  if (assigneeId !== state.assigneeId) entries.push({ action: 'assigned', detail: { from: state.assigneeId, to: assigneeId } });
  const severityIsSet = state.severityIsSet || change.severity !== undefined;
  if (severity !== state.severity || severityIsSet !== state.severityIsSet)
    entries.push({ action: 'severity_changed', detail: { from: state.severity, to: severity } });
  if (status !== state.status)
    entries.push({ action: status === 'dismissed' ? 'dismissed' : 'status_changed', detail: { from: state.status, to: status } });
  return { state: { ...state, assigneeId, status, severity, severityIsSet }, entries };
};

/**
 * Whether a record that was settled in this way takes part in no more runs. What is only late has to stay, or its counterpart would
 * find nobody.
 */
const retires = (resolution: ManualResolution): boolean => resolution !== 'expected_timing';

export const resolveException = (
  state: ExceptionState,
  resolution: ManualResolution,
  note: string | null,
): ExceptionTransition | Refused => {
  if (isClosed(state.status)) return { refused: `This exception is ${state.status} already.` };
  return {
    state: { ...state, status: 'resolved', resolution },
    entries: [{ action: 'resolved', detail: { resolution, note } }],
    ...(retires(resolution) ? { record: 'retired' as const } : {}),
  };
};

export const reopenException = (state: ExceptionState): ExceptionTransition | Refused => {
  if (!isClosed(state.status))
    return { refused: `This exception is ${state.status}; only one that is resolved or dismissed can be reopened.` };
  return {
    state: { ...state, status: 'open', resolution: null },
    entries: [{ action: 'reopened', detail: { from: state.status, resolution: state.resolution } }],
    record: 'restored',
  };
};

/** What an exception says: a person who closes it has decided about this, and about nothing else. */
export interface Said {
  readonly category: string;
  readonly reason: string | null;
  readonly records: readonly unknown[];
}

/**
 * Whether a decision about one still holds for the other: the records say the same, and what is wrong with them is the same. Rows
 * of which nothing could be read say nothing, and no decision about one of them is about another.
 */
export const isSettledBy = (decided: Said & { readonly resolution: Resolution | null }, found: Said): boolean =>
  decided.resolution !== 'matched_later' && found.records.length > 0 && saysTheSame(decided, found);

export const saysTheSame = (one: Said, other: Said): boolean =>
  one.category === other.category && one.reason === other.reason && canonical(one.records) === canonical(other.records);
