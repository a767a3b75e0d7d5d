/** The matching thread: collects rows, runs the engine, hands results out in pieces as they are asked for. */
import { parentPort } from 'node:worker_threads';
import type { MatchedRecord, MatchedResult } from '../../application/ports.ts';
import { type RecordBatch, recordAt } from '../../domain/matching/batch.ts';
import { type BatchBuilder, createBatchBuilder } from '../../domain/matching/batch-builder.ts';
import { currencyText } from '../../domain/matching/columns/currency.ts';
import { ColumnTooLarge } from '../../domain/matching/columns/text-column.ts';
import { dayOf } from '../../domain/matching/day.ts';
import { TooManyCandidates } from '../../domain/matching/passes/candidates.ts';
import { type Reconciliation, reconcile } from '../../domain/matching/reconcile.ts';
import type { MatchResult } from '../../domain/matching/results/result.ts';
import type { Reply, Request } from './protocol.ts';

const resultsPerReply = 2_000;

const port = parentPort;
if (port === null) throw new Error('this program runs as a thread');
const say = (reply: Reply) => port.postMessage(reply);

interface Batches {
  readonly source: RecordBatch;
  readonly target: RecordBatch;
}

const builders: { source?: BatchBuilder; target?: BatchBuilder } = {};
let matched: { readonly batches: Batches; readonly reconciliation: Reconciliation } | undefined;
let position = 0;

const recordsOf = (batch: RecordBatch, rows: readonly number[]): MatchedRecord[] =>
  rows.map((row) => {
    const units = batch.amounts[row] as number;
    return {
      currency: currencyText(batch.currencies[row] as number),
      amountMinor: Number.isNaN(units) ? null : BigInt(units),
      carried: false,
      record: recordAt(batch, row),
    };
  });

const whole = (result: MatchResult, { source, target }: Batches): MatchedResult => ({
  ...result,
  source: recordsOf(source, result.source),
  target: recordsOf(target, result.target),
});

const answer = (request: Request): Reply => {
  switch (request.kind) {
    case 'add': {
      const builder = builders[request.side] ?? createBatchBuilder({ idMapped: request.idMapped });
      builders[request.side] = builder;
      builder.addRows(request.rows);
      return { kind: 'added' };
    }
    case 'match': {
      const build = (side: 'source' | 'target') => (builders[side] ?? createBatchBuilder({ idMapped: request.idMapped[side] })).build();
      const batches = { source: build('source'), target: build('target') };
      const reconciliation = reconcile({
        ...batches,
        rules: request.rules,
        asOf: dayOf(request.asOf) ?? 0,
        onProgress: (passes, total) => say({ kind: 'progress', done: passes, total }),
      });
      matched = { batches, reconciliation };
      return { kind: 'matched', summary: reconciliation.summary, resultCount: reconciliation.length };
    }
    case 'next': {
      const results: MatchedResult[] = [];
      for (const end = Math.min(position + resultsPerReply, matched?.reconciliation.length ?? 0); position < end; position += 1) {
        if (matched !== undefined) results.push(whole(matched.reconciliation.at(position), matched.batches));
      }
      return { kind: 'results', results };
    }
  }
};

port.on('message', (request: Request) => {
  try {
    say(answer(request));
  } catch (error) {
    if (!(error instanceof TooManyCandidates) && !(error instanceof ColumnTooLarge)) throw error;
    say({ kind: 'refused', code: error.code, message: error.message });
  }
});
