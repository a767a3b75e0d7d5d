import { newId } from '@settler/chassis/ids';
import { createLogger } from '@settler/chassis/logger';
import { rules } from '@settler/contracts/rules';
import { describe, expect, test, vi } from 'vitest';
import type { HeldExecution, Matching, ResultPiece, WatchedPiece } from '../src/application/ports.ts';
import { type RunNeeds, runExecution } from '../src/application/run-execution.ts';

const side = { adapter: 'records', config: { records: [] } };
const held: HeldExecution = {
  id: newId('execution'),
  organizationId: newId('organization'),
  jobId: newId('job'),
  definition: {
    name: 'orders',
    source: side,
    target: side,
    rules: rules.parse({ matching: [{ field: 'reference', type: 'exact' }], openItems: { carryForward: false } }),
  },
  dryRun: false,
  period: null,
  epoch: 1,
  attempt: 1,
  createdAt: new Date(),
  triedOn: null,
};

const pieceOf = (count: number): WatchedPiece => {
  const nothing = new Uint8Array();
  return { count, results: nothing, moves: nothing, drafts: nothing, sums: [], digests: [], sightings: [] };
};
const nobody = async function* () {};

/** A run whose pieces are on their way until somebody says how it went. */
const runOf = (counts: readonly number[]) => {
  const writing: { readonly count: number; readonly succeed: () => void; readonly fail: (error: Error) => void }[] = [];
  const leases = {
    renew: vi.fn(async () => 'held' as const),
    progress: vi.fn(async () => {}),
    end: vi.fn(async () => true),
    giveBack: vi.fn(async () => {}),
  };
  const matching = {
    read: async () => [],
    match: async () => ({ summary: {}, resultCount: 0, problems: [], given: { known: [], apart: [], changed: [] } }),
    results: async function* () {
      for (const count of counts) yield pieceOf(count);
    },
    close: async () => {},
  } as unknown as Matching;
  const needs = {
    leases,
    openMatching: () => matching,
    writer: {
      begin: async () => {},
      write: (_: HeldExecution, { count }: ResultPiece) =>
        new Promise<void>((succeed, fail) => {
          writing.push({ count, succeed, fail });
        }),
    },
    handMatches: { read: nobody },
    separations: { read: nobody },
    openExceptions: { recordIds: async () => [] },
    renewMs: 60_000,
    logger: createLogger('executions', 'silent'),
  } as unknown as RunNeeds;
  return { writing, leases, over: runExecution(needs, held, new AbortController().signal) };
};
const until = (count: number, writing: readonly unknown[]) => vi.waitFor(() => expect(writing).toHaveLength(count));
/** Long enough for whatever does not wait for anything. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('results on their way to the database', () => {
  test('are two pieces at once, and the run is over when all are stored', async () => {
    const { writing, leases, over } = runOf([3, 2, 1]);
    await until(2, writing);
    await turn();
    expect(writing.map(({ count }) => count)).toEqual([3, 2]);
    writing[0]?.succeed();
    await until(3, writing);
    writing[2]?.succeed();
    await turn();
    expect(leases.end).not.toHaveBeenCalled();
    writing[1]?.succeed();
    await over;
    expect(leases.end).toHaveBeenCalledWith(held, expect.objectContaining({ status: 'completed' }));
  });

  test.each([0, 1])('are waited for where one cannot be stored, before the run is given back', async (failing) => {
    const { writing, leases, over } = runOf([3, 2, 1]);
    await until(2, writing);
    writing[failing]?.fail(new Error('the disk is full'));
    await turn();
    expect(leases.giveBack).not.toHaveBeenCalled();
    writing[1 - failing]?.succeed();
    if (failing === 1) {
      await until(3, writing);
      writing[2]?.succeed();
    }
    await over;
    expect(leases.end).not.toHaveBeenCalled();
    expect(leases.giveBack).toHaveBeenCalledWith(held, expect.objectContaining({ reason: 'the disk is full' }));
  });
});
