/**
 * Verifying a trail reads and hashes all of it. However many ask at once, one verification of a trail goes on and one waits, which answers
 * all who have come since: it begins after each of them has asked.
 */
import type { Verdict } from '../domain/audit-chain.ts';
import type { Turn } from './ports.ts';
import type { AuditQueries } from './queries.ts';

export interface VerifyTrailNeeds {
  readonly queries: Pick<AuditQueries, 'verify'>;
  readonly clock: () => Date;
  readonly turn: Turn;
}

export type VerifyTrail = ReturnType<typeof verifyTrail>;

export const verifyTrail = ({ queries, clock, turn }: VerifyTrailNeeds) => {
  const running = new Map<string, Promise<Verdict>>();
  const waiting = new Map<string, Promise<Verdict>>();
  const begin = async (trail: string, organizationId: string, from: 'start' | 'checkpoint'): Promise<Verdict> => {
    await running.get(trail)?.catch(() => {});
    return turn(() => {
      waiting.delete(trail);
      const verdict = queries.verify(organizationId, from, clock());
      running.set(trail, verdict);
      return verdict.finally(() => running.delete(trail));
    });
  };
  return (organizationId: string, from: 'start' | 'checkpoint'): Promise<Verdict> => {
    const trail = `${organizationId} ${from}`;
    const known = waiting.get(trail);
    if (known !== undefined) return known;
    const verdict = begin(trail, organizationId, from);
    waiting.set(trail, verdict);
    // Whoever finds no room does not wait.
    const leave = (): void => {
      if (waiting.get(trail) === verdict) waiting.delete(trail);
    };
    verdict.then(leave, leave);
    return verdict;
  };
};
