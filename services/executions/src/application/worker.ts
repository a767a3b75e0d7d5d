/** The worker: answers doorbells, and looks by itself for rows whose bell was lost. The row decides; the bell only saves waiting. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Broker } from '@settler/chassis/broker';
import { startDoorbell } from '@settler/chassis/doorbell';
import type { Logger } from '@settler/chassis/logger';
import { startRounds } from '@settler/chassis/rounds';
import { doorbell } from '@settler/contracts/audit';
import { envelope } from '@settler/contracts/envelope';
import { consumers } from '@settler/contracts/streams';
import type { HeldExecution, LeaseStore } from './ports.ts';

export interface WorkerNeeds {
  readonly broker: Broker;
  readonly leases: LeaseStore;
  readonly run: (held: HeldExecution, stopping: AbortSignal) => Promise<void>;
  readonly sweepFiles: () => Promise<void>;
  readonly slots: number;
  readonly sweepMs: number;
  readonly logger: Logger;
}

export const startWorker = ({ broker, leases, run, sweepFiles, slots, sweepMs, logger }: WorkerNeeds) => {
  // Who has a run is seen in its row; what makes it the only one of that name is the last part.
  const owner = `${hostname()}:${process.pid}:${randomUUID()}`;
  const stopping = new AbortController();
  const swept = new Set<Promise<void>>();

  const workOn = async (id: string, claimed: () => void = () => {}): Promise<void> => {
    const held = await leases.claim(id, owner);
    claimed();
    if (held !== undefined) await run(held, stopping.signal);
  };

  const bell = startDoorbell({
    definition: consumers.executionDoorbell,
    broker,
    logger,
    slots,
    onRing: async (message, acknowledge) => {
      const { executionId } = doorbell.parse(envelope.parse(message).data);
      await workOn(executionId, acknowledge);
    },
  });

  const sweep = async () => {
    await sweepFiles();
    const waiting = await leases.sweep();
    // While the broker is away nobody hears a bell: the rows found here are worked on at once, within the same limit.
    if (broker.isConnected()) return;
    for (const id of waiting) {
      if (swept.size >= slots || stopping.signal.aborted) return;
      const work = workOn(id)
        .catch((error: unknown) => logger.warn({ err: error, executionId: id }, 'an execution could not be begun'))
        .finally(() => swept.delete(work));
      swept.add(work);
    }
  };
  const sweeping = startRounds(sweepMs, sweep, logger, 'the sweep is put off to the next round');

  return {
    stop: async () => {
      sweeping.stop();
      // Leases are given back first: what runs sees the signal, and another replica takes it over.
      stopping.abort();
      await bell.stop();
      await Promise.all(swept);
    },
  };
};
