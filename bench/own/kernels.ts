/** The two joins by themselves, on one thread, normalizing included. `kernels.ts SIZE CALLS` */
import { noCurrency } from '../../packages/contracts/src/currency-codes.ts';
import type { RecordBatch } from '../../services/executions/src/domain/matching/batch.ts';
import { noDay } from '../../services/executions/src/domain/matching/batch.ts';
import { normalized } from '../../services/executions/src/domain/matching/columns/normalize.ts';
import { countedUp } from '../../services/executions/src/domain/matching/columns/order.ts';
import type { TextColumn } from '../../services/executions/src/domain/matching/columns/text-column.ts';
import { joinKeys } from '../../services/executions/src/domain/matching/join/keys.ts';
import { sweep } from '../../services/executions/src/domain/matching/join/sweep.ts';
import { filesOf } from '../inputs/files.ts';
import { type Answer, report, sampled, weightOf } from '../measure/sample.ts';
import { readBatch } from './read-batch.ts';

const [size = '', warmCalls = '0'] = process.argv.slice(2);
const files = filesOf(Number(size));
const orders = await readBatch(files.orders);
const payments = await readBatch(files.payments);

const textsOf = (batch: RecordBatch, field: string): TextColumn => {
  const column = batch.texts.get(field);
  if (column === undefined) throw new Error(`the file has no ${field}`);
  return column;
};
const orderRows = countedUp(orders.length);
const paymentRows = countedUp(payments.length);

/** Counts and weighs the pairs that a join finds. */
const weighing = (join: (pair: (order: number, payment: number) => void) => void): Answer => {
  let rows = 0;
  let checksum = 0;
  join((order, payment) => {
    rows += 1;
    checksum += weightOf(order, payment);
  });
  return { rows, checksum };
};

const plainly = ['alphanumeric', 'lowercase', { stripPrefix: 'ord' }] as const;
const codes = (batch: RecordBatch) => ({ kind: 'codes', codes: batch.currencies, absent: noCurrency }) as const;
const references = (batch: RecordBatch) => ({ kind: 'texts', texts: normalized(textsOf(batch, 'reference'), plainly) }) as const;

const byKey = (): Answer =>
  weighing((pair) => {
    const keys = [
      { source: references(orders), target: references(payments) },
      { source: codes(orders), target: codes(payments) },
    ];
    joinKeys(keys, orderRows, paymentRows, {
      pair,
      pairsMax: Number.POSITIVE_INFINITY,
      block: () => {},
    });
  });

const byBand = (): Answer =>
  weighing((pair) => {
    const amount = {
      sources: orders.amounts,
      targets: payments.amounts,
      least: (row: number) => (orders.amounts[row] as number) - 1,
      most: (row: number) => (orders.amounts[row] as number) + 1,
    };
    const day = {
      sources: orders.days,
      targets: payments.days,
      absent: noDay,
      rangeOf: (one: number) => ({ first: one - 3, last: one + 3 }),
    };
    const bands = { amount, day, sourceCurrencies: orders.currencies, targetCurrencies: payments.currencies };
    sweep(bands, orderRows, paymentRows, pair);
  });

const key = await sampled(Number(warmCalls), byKey);
const band = await sampled(Number(warmCalls), byBand);
report({ samples: { key, band } });
