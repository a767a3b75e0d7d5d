/**
 * The whole engine from batches to results: every pass, assignment, outcomes, the summary and what explains a result.
 * `engine.ts SIZE CALLS [everything]`
 */
import { reconcile } from '../../services/executions/src/domain/matching/reconcile.ts';
import { filesOf } from '../inputs/files.ts';
import { type Answer, report, sampled } from '../measure/sample.ts';
import { readBatch } from './read-batch.ts';
import { bothPasses, everything } from './rules.ts';

const [size = '', warmCalls = '0', which = 'bothPasses'] = process.argv.slice(2);
const files = filesOf(Number(size));
const source = await readBatch(files.orders);
const target = await readBatch(files.payments);
const rules = which === 'everything' ? everything : bothPasses;
/** A page of results, as somebody would look at them. */
const explainedCount = 1_000;

const run = (): Answer => {
  const { length, at, summary } = reconcile({ source, target, rules, asOf: 20_500 });
  const step = Math.max(1, Math.floor(length / explainedCount));
  let explained = 0;
  for (let place = 0; place < length; place += step) explained += at(place).conditions.length;
  if (explained === 0) throw new Error('no result was explained');
  const results = summary.matched + summary.mismatched + summary.missingInTarget + summary.missingInSource;
  const others = summary.ambiguous + summary.duplicates + summary.invalid;
  if (results + others !== length) throw new Error(`the summary counts ${results + others} of ${length} results`);
  return { rows: length, checksum: summary.matched };
};

report({ samples: { [which]: await sampled(Number(warmCalls), run) } });
