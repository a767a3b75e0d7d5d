/** What the service and its matching thread say to each other. One request, one reply; progress may come in between. */
import type { ExecutionErrorCode } from '@settler/contracts/execution-errors';
import type { ExecutionSummary } from '@settler/contracts/executions';
import type { Rules } from '@settler/contracts/rules';
import type { InputRow, MatchedResult } from '../../application/ports.ts';

export type Request =
  | { readonly kind: 'add'; readonly side: 'source' | 'target'; readonly rows: readonly InputRow[]; readonly idMapped: boolean }
  | {
      readonly kind: 'match';
      readonly rules: Rules;
      readonly asOf: string;
      readonly idMapped: { readonly source: boolean; readonly target: boolean };
    }
  | { readonly kind: 'next' };

export type Reply =
  | { readonly kind: 'added' }
  | { readonly kind: 'progress'; readonly done: number; readonly total: number }
  | { readonly kind: 'matched'; readonly summary: ExecutionSummary; readonly resultCount: number }
  | { readonly kind: 'results'; readonly results: readonly MatchedResult[] }
  | { readonly kind: 'refused'; readonly code: ExecutionErrorCode; readonly message: string };
