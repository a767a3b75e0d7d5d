/** Leases whose ends are told, with the time since this worker took the run up. */
import type { Ending, HeldExecution, LeaseStore } from './ports.ts';

export type OnEnd = (status: Ending['status'], seconds: number) => void;

export const measuredEnds = (leases: LeaseStore, onEnd: OnEnd, nowMs: () => number): LeaseStore => {
  const claimedAtMs = new WeakMap<HeldExecution, number>();
  return {
    ...leases,
    claim: async (id, owner) => {
      const held = await leases.claim(id, owner);
      if (held !== undefined) claimedAtMs.set(held, nowMs());
      return held;
    },
    end: async (held, ending) => {
      const hasEnded = await leases.end(held, ending);
      if (hasEnded) onEnd(ending.status, (nowMs() - (claimedAtMs.get(held) ?? nowMs())) / 1_000);
      return hasEnded;
    },
  };
};
