/** The two joins by comparing every order with every payment; references are brought to one form beforehand. `nested-loops.ts SIZE` */
import { filesOf } from '../inputs/files.ts';
import { type Answer, report, sampled, weightOf } from '../measure/sample.ts';
import { daysApart, plain, type Row, readObjects } from './objects.ts';

const files = filesOf(Number(process.argv[2]));
const orders = readObjects(files.orders);
const payments = readObjects(files.payments);

const joined = (sources: readonly Row[], targets: readonly Row[], belong: (order: Row, payment: Row) => boolean): Answer => {
  let rows = 0;
  let checksum = 0;
  for (const order of sources) {
    for (const payment of targets) {
      if (!belong(order, payment)) continue;
      rows += 1;
      checksum += weightOf(order.row, payment.row);
    }
  }
  return { rows, checksum };
};

const inPlain = (row: Row): Row => ({ ...row, reference: plain(row.reference) });
const byKey = (): Answer =>
  joined(
    orders.map(inPlain),
    payments.map(inPlain),
    (order, payment) => order.reference === payment.reference && order.currency === payment.currency,
  );
const byBand = (): Answer =>
  joined(
    orders,
    payments,
    (order, payment) =>
      order.currency === payment.currency && Math.abs(order.amount - payment.amount) <= 1 && Math.abs(order.day - payment.day) <= daysApart,
  );

report({ samples: { key: await sampled(0, byKey), band: await sampled(0, byBand) } });
