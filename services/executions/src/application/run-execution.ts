/** One run, under a lease: read both sides, match, write, end. Whatever happens, the row says the truth afterwards. */
import { ReaderFailure } from '@settler/adapters/reader';
import { faultPoint } from '@settler/chassis/faults';
import type { Logger } from '@settler/chassis/logger';
import type { ExecutionSummary } from '@settler/contracts/executions';
import { carriesForward } from '@settler/contracts/rules';
import { certify, outcomeLines, type PassSum } from '../domain/certificate.ts';
import type { Comparison, ControlTotals, StoredReport } from '../domain/execution.ts';
import { attemptsMax } from '../domain/execution.ts';
import {
  type Base,
  type BaseResults,
  type Ending,
  type HandMatches,
  type HeldExecution,
  type LeaseStore,
  type MatchedBefore,
  type Matching,
  MatchingRefused,
  type OpenExceptions,
  type OpenItems,
  type OpenMatching,
  type ResultWriter,
  type Seen,
  type Separations,
  type Sighting,
} from './ports.ts';

export type OpenFile = (
  organizationId: string,
  fileId: string,
  signal: AbortSignal,
) => Promise<{ bytes: AsyncIterable<Uint8Array>; size: number } | undefined>;

export interface RunNeeds {
  readonly leases: LeaseStore;
  readonly writer: ResultWriter;
  readonly openMatching: OpenMatching;
  readonly openFile: OpenFile;
  readonly openItems: OpenItems;
  readonly matchedBefore: MatchedBefore;
  readonly handMatches: HandMatches;
  readonly separations: Separations;
  readonly openExceptions: OpenExceptions;
  readonly bases: BaseResults;
  readonly renewMs: number;
  readonly logger: Logger;
}

const retryDelayMs = 5_000;
const progressEveryMs = 250;

class Stopped extends Error {
  readonly why: 'cancel' | 'lost' | 'stopping';
  constructor(why: Stopped['why']) {
    super(`the run was stopped: ${why}`);
    this.why = why;
  }
}

export const runExecution = async (needs: RunNeeds, held: HeldExecution, stopping: AbortSignal): Promise<void> => {
  const { leases, logger } = needs;
  const aborter = new AbortController();
  const onStopping = () => aborter.abort(new Stopped('stopping'));
  stopping.addEventListener('abort', onStopping, { once: true });
  // The claim may have been on its way when the process was told to stop, and a signal tells nobody twice.
  if (stopping.aborted) onStopping();
  // Never two at once: where one waits for a lock, others would take the connections that everything else needs.
  let isRenewing = false;
  const renew = async () => {
    if (isRenewing) return;
    isRenewing = true;
    try {
      const state = await leases.renew(held);
      if (state !== 'held') aborter.abort(new Stopped(state));
    } catch (error) {
      logger.warn({ err: error, executionId: held.id }, 'the lease could not be renewed');
    } finally {
      isRenewing = false;
    }
  };
  const heartbeat = setInterval(renew, needs.renewMs);
  try {
    faultPoint('executions.claimed');
    aborter.signal.throwIfAborted();
    const ending = await work(needs, held, aborter.signal);
    if (await leases.end(held, ending)) faultPoint('executions.after-commit');
    // A cancellation that came in the last moment wins: the run ends as what its owner asked for.
    else if ((await leases.renew(held)) === 'cancel') await leases.end(held, { status: 'cancelled' });
  } catch (error) {
    await conclude(needs, held, aborter.signal.aborted ? aborter.signal.reason : error);
  } finally {
    clearInterval(heartbeat);
    stopping.removeEventListener('abort', onStopping);
  }
};

/** What an error means for the row. */
const conclude = async ({ leases, logger }: RunNeeds, held: HeldExecution, error: unknown): Promise<void> => {
  if (error instanceof Stopped) {
    if (error.why === 'cancel') await leases.end(held, { status: 'cancelled' });
    if (error.why === 'stopping') await leases.giveBack(held, { countsAttempt: false, delayMs: 0, reason: 'its worker was stopped' });
    return;
  }
  if (error instanceof ReaderFailure) {
    const { code, line, side } = error;
    const place = [side, line === undefined ? undefined : `line ${line}`].filter((part) => part !== undefined).join(', ');
    const message = place === '' ? error.message : `${place}: ${error.message}`;
    await leases.end(held, {
      status: 'failed',
      error: { code, message, ...(side === undefined ? {} : { side }), ...(line === undefined ? {} : { line }) },
    });
    return;
  }
  if (error instanceof MatchingRefused) {
    const { code, message, side } = error;
    await leases.end(held, { status: 'failed', error: { code, message, ...(side === undefined ? {} : { side }) } });
    return;
  }
  logger.error({ err: error, executionId: held.id, attempt: held.attempt }, 'an attempt at an execution failed');
  const reason = error instanceof Error ? error.message.slice(0, 300) : 'unknown';
  if (held.attempt >= attemptsMax) {
    await leases.end(held, {
      status: 'failed',
      error: { code: 'attempts_exhausted', message: `No attempt of ${attemptsMax} succeeded; the last one: ${reason}` },
    });
  } else {
    await leases.giveBack(held, { countsAttempt: true, delayMs: retryDelayMs * held.attempt, reason });
  }
};

/** As many records of both sides as are held against each other. */
const comparedMax = 1_000_000;

const compared = async (
  { bases }: RunNeeds,
  matching: Matching,
  { base, isTried }: { readonly base: Base | undefined; readonly isTried: boolean },
  { source, target, matchRate }: ExecutionSummary,
  signal: AbortSignal,
): Promise<Comparison | null> => {
  if (base?.summary === undefined || base.summary === null) return null;
  const { summary } = base;
  // Rules that are tried on what a run has stored are not given what that could not read.
  const before = (isTried ? await bases.matchRate(base) : undefined) ?? summary.matchRate;
  const found = { executionId: base.id, matchRate: { before, after: matchRate } };
  const records = Math.max(source.records + target.records, summary.source.records + summary.target.records);
  if (records > comparedMax)
    return { ...found, diff: null, reason: 'too_many_records', handMatches: { held: 0, contradicted: [], changed: [] } };
  for await (const results of bases.read(base)) {
    signal.throwIfAborted();
    await matching.remember(results);
  }
  return { ...found, ...(await matching.compare()), reason: null };
};

const feed = async (
  { bases }: RunNeeds,
  matching: Matching,
  { base, keeps }: { readonly base: Base; readonly keeps: boolean },
  report: Report,
  signal: AbortSignal,
) => {
  const run = { hasIds: await bases.hasIds(base), runAt: base.createdAt.getTime(), keeps };
  let controlTotals = await matching.feed([], run);
  let done = 0;
  for await (const results of bases.read(base)) {
    signal.throwIfAborted();
    controlTotals = await matching.feed(results, run);
    done += results.length;
    report({ stage: 'reading', done, total: null });
  }
  return controlTotals;
};

const work = async (needs: RunNeeds, held: HeldExecution, signal: AbortSignal): Promise<Ending> => {
  const { rules } = held.definition;
  const report = throttled(needs, held);
  const base = held.dryRun ? await needs.bases.find(held) : undefined;
  const tried = held.triedOn === null ? undefined : base;
  const matching = needs.openMatching({ rules, asOf: (tried ?? held).createdAt.toISOString().slice(0, 10), signal });
  try {
    // Before the open items: a match that is made in between has retired its own.
    for await (const matches of needs.handMatches.read(held)) await matching.give(matches);
    // What is tried on stored records has their open items among them.
    if (tried === undefined && carriesForward(rules)) for await (const items of needs.openItems.read(held)) await matching.carry(items);
    // After the open items: what was taken apart before those were read is known to have been.
    for await (const separations of needs.separations.read(held)) await matching.separate(separations);
    // Open items go before: what was taken out of its match is one of them. What is stored says itself who keeps a match.
    if (tried === undefined && carriesForward(rules))
      for await (const matches of needs.matchedBefore.read(held.jobId, held.createdAt)) await matching.know(matches);
    const controlTotals: ControlTotals[] = [];
    if (tried !== undefined)
      controlTotals.push(...(await feed(needs, matching, { base: tried, keeps: carriesForward(rules) }, report, signal)));
    else
      for (const side of ['source', 'target'] as const)
        controlTotals.push(...(await readSide(needs, held, side, matching, report, signal)));
    signal.throwIfAborted();
    if (tried === undefined && carriesForward(rules)) await bringBack(needs, held, matching, signal);
    const { summary, resultCount, problems, given } = await matching.match((done, total) => report({ stage: 'matching', done, total }));
    if (held.dryRun) {
      const sums = await matching.sums();
      const comparison = await compared(needs, matching, { base, isTried: tried !== undefined }, summary, signal);
      return {
        status: 'completed',
        summary,
        resultCount,
        problems,
        controlTotals,
        report: { ...dryReport(controlTotals, sums), comparison },
        given,
        seen: undefined,
      };
    }
    const seen = await writeResults(needs, held, matching, resultCount, report, signal);
    return { status: 'completed', summary, resultCount, problems, controlTotals, report: null, given, seen };
  } finally {
    await matching.close();
  }
};

/** Of more, the new versions stand alone. */
const broughtMax = 100_000;

/** A record that is another one now has broken its match: the others are open again, wherever they are. */
const bringBack = async ({ matchedBefore }: RunNeeds, { jobId }: HeldExecution, matching: Matching, signal: AbortSignal): Promise<void> => {
  const broken = await matching.broken();
  for await (const records of matchedBefore.others(jobId, broken.slice(0, broughtMax))) {
    signal.throwIfAborted();
    await matching.bring(records);
  }
};

type Report = (progress: Parameters<LeaseStore['progress']>[1]) => void;

/** At most four times a second, and never two at once: progress must not slow down what it tells of. */
const throttled = ({ leases, logger }: RunNeeds, held: HeldExecution): Report => {
  let nextAt = 0;
  let stage = '';
  return (progress) => {
    const now = performance.now();
    if (now < nextAt && progress.stage === stage) return;
    nextAt = now + progressEveryMs;
    ({ stage } = progress);
    leases.progress(held, progress).catch((error: unknown) => logger.debug({ err: error }, 'progress could not be recorded'));
  };
};

const readSide = async (
  { openFile }: RunNeeds,
  { organizationId, definition, period }: HeldExecution,
  side: 'source' | 'target',
  matching: Matching,
  report: Report,
  signal: AbortSignal,
): Promise<readonly ControlTotals[]> => {
  try {
    return await matching.read(
      side,
      { ...definition[side], period },
      (fileId) => openFile(organizationId, fileId, signal),
      (done, total) => report({ stage: 'reading', done, total }),
    );
  } catch (error) {
    if (error instanceof ReaderFailure) error.side = side;
    throw error;
  }
};

/** Of more it would be no use: so many results are read as fast as all of them are. */
const sightingsMax = 200_000;

const writeResults = async (
  { writer, openExceptions }: RunNeeds,
  held: HeldExecution,
  matching: Matching,
  total: number,
  report: Report,
  signal: AbortSignal,
): Promise<Seen | undefined> => {
  const { organizationId, id, epoch, createdAt } = held;
  const { rules } = held.definition;
  const watched = await openExceptions.recordIds(held);
  if (watched !== undefined && watched.length > 0) await matching.watch(watched);
  const sightings: Sighting[] = [];
  let done = 0;
  await writer.begin(held);
  const run = { organizationId, id, epoch, createdAt, carriesForward: carriesForward(rules), severity: rules.severity };
  let before: Promise<void> = Promise.resolve();
  let writing = before;
  try {
    for await (const piece of matching.results(run)) {
      signal.throwIfAborted();
      // Two at once: while the disk has the one before, the database takes the next.
      before = writing;
      writing = writer.write(held, piece).then(() => {
        done += piece.count;
        report({ stage: 'writing', done, total });
      });
      writing.catch(() => {});
      if (sightings.length <= sightingsMax) sightings.push(...piece.sightings);
      await before;
    }
    await writing;
  } finally {
    // Nothing of this attempt is on its way once it is over.
    await Promise.allSettled([before, writing]);
  }
  return watched === undefined || sightings.length > sightingsMax ? undefined : { ids: new Set(watched), sightings };
};

const dryReport = (control: readonly ControlTotals[], sums: readonly PassSum[]): StoredReport => ({
  outcomes: outcomeLines(sums),
  certificate: certify(control, sums),
});
