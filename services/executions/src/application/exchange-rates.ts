import type { Page } from '@settler/chassis/pagination';
import type { ExchangeRate } from '../domain/base-totals.ts';
import type { Actor } from './ports.ts';
import type { PageRequest } from './queries.ts';

export interface ExchangeRateView extends ExchangeRate {
  readonly id: string;
  readonly updatedBy: { readonly type: string; readonly id: string };
  readonly updatedAt: string;
}

export interface ExchangeRateFilter extends PageRequest {
  readonly base?: string | undefined;
  readonly quote?: string | undefined;
  /** Days, both included. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

export interface ExchangeRateStore {
  readonly list: (organizationId: string, filter: ExchangeRateFilter) => Promise<Page<ExchangeRateView>>;
  readonly read: (organizationId: string, id: string) => Promise<{ view: ExchangeRateView; revision: bigint } | undefined>;
  /** Those of a pair and day that are there take the new value and keep their id. Answers in the order of `rates`. */
  readonly set: (rates: readonly (ExchangeRate & { readonly newId: string })[], actor: Actor) => Promise<readonly ExchangeRateView[]>;
  /** @throws Refusal `not_found` or `version_conflict` */
  readonly remove: (id: string, ifMatch: number | undefined, actor: Actor) => Promise<void>;
}
