/** The matching thread: collects rows, runs the engine, hands results out in pieces as they are asked for. */
import { parentPort } from 'node:worker_threads';
import type { MatchedRecord, MatchedResult } from '../../application/ports.ts';
import { type BatchBuilder, createBatchBuilder, type RecordBatch } from '../../domain/matching/batch.ts';
import { TooManyCandidates } from '../../domain/matching/candidates.ts';
import { reconcile } from '../../domain/matching/reconcile.ts';
import type { MatchResult } from '../../domain/matching/result.ts';
import type { Reply, Request } from './protocol.ts';

const resultsPerReply = 2_000;

const port = parentPort;
if (port === null) throw new Error('this program runs as a thread');
const say = (reply: Reply) => port.postMessage(reply);

const builders: { source?: BatchBuilder; target?: BatchBuilder } = {};
let batches: { source: RecordBatch; target: RecordBatch } | undefined;
let results: readonly MatchResult[] = [];
let position = 0;

const recordsOf = (batch: RecordBatch, rows: readonly number[]): MatchedRecord[] =>
  rows.map((row) => ({
    key: batch.keys[row] ?? '',
    currency: batch.currencies[row] ?? '',
    amountMinor: batch.amounts[row] ?? null,
    carried: false,
    record: batch.records[row] ?? {},
  }));

const whole = (result: MatchResult, { source, target }: { source: RecordBatch; target: RecordBatch }): MatchedResult => ({
  ...result,
  source: recordsOf(source, result.source),
  target: recordsOf(target, result.target),
});

const answer = (request: Request): Reply => {
  switch (request.kind) {
    case 'add': {
      const builder = builders[request.side] ?? createBatchBuilder({ idMapped: request.idMapped });
      builders[request.side] = builder;
      builder.add(request.rows);
      return { kind: 'added' };
    }
    case 'match': {
      const build = (side: 'source' | 'target') => (builders[side] ?? createBatchBuilder({ idMapped: request.idMapped[side] })).build();
      batches = { source: build('source'), target: build('target') };
      const done = reconcile({
        ...batches,
        rules: request.rules,
        onProgress: (passes, total) => say({ kind: 'progress', done: passes, total }),
      });
      results = done.results;
      return { kind: 'matched', summary: done.summary, resultCount: results.length };
    }
    case 'next': {
      const held = batches;
      const slice = held === undefined ? [] : results.slice(position, position + resultsPerReply).map((result) => whole(result, held));
      position += slice.length;
      return { kind: 'results', results: slice };
    }
  }
};

port.on('message', (request: Request) => {
  try {
    say(answer(request));
  } catch (error) {
    if (!(error instanceof TooManyCandidates)) throw error;
    say({ kind: 'refused', code: error.code, message: error.message });
  }
});
