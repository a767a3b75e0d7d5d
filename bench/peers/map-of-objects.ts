/** The two joins, and both passes with what is left of each, over objects in a Map. `map-of-objects.ts SIZE CALLS` */
import { filesOf } from '../inputs/files.ts';
import { type Answer, report, sampled, weightOf } from '../measure/sample.ts';
import { cents, daysApart, plain, type Row, readObjects } from './objects.ts';

const [size = '', warmCalls = '0'] = process.argv.slice(2);
const files = filesOf(Number(size));
const orders = readObjects(files.orders);
const payments = readObjects(files.payments);

const grouped = (rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> => {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(row);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  return groups;
};
const keyOf = ({ reference, currency }: Row): string => `${plain(reference)}|${currency}`;
const amountOf = ({ amount, currency }: Row): string => `${amount}|${currency}`;
const nothing: readonly Row[] = [];

const byKey = (): Answer => {
  const known = grouped(payments, keyOf);
  let rows = 0;
  let checksum = 0;
  for (const order of orders) {
    for (const payment of known.get(keyOf(order)) ?? nothing) {
      rows += 1;
      checksum += weightOf(order.row, payment.row);
    }
  }
  return { rows, checksum };
};

const byBand = (): Answer => {
  const known = grouped(payments, amountOf);
  let rows = 0;
  let checksum = 0;
  for (const order of orders) {
    for (const cent of cents) {
      for (const payment of known.get(`${order.amount + cent}|${order.currency}`) ?? nothing) {
        if (Math.abs(payment.day - order.day) > daysApart) continue;
        rows += 1;
        checksum += weightOf(order.row, payment.row);
      }
    }
  }
  return { rows, checksum };
};

/** By reference, then what is left by amount and date; the first that fits is taken, and everything ends in a result. */
const bothPasses = (): Answer => {
  const results: { outcome: string; source?: Row; target?: Row }[] = [];
  const takenOrders = new Set<Row>();
  const takenPayments = new Set<Row>();
  const take = (source: Row, target: Row): void => {
    takenOrders.add(source);
    takenPayments.add(target);
    results.push({ outcome: 'matched', source, target });
  };
  const byReference = grouped(payments, keyOf);
  for (const order of orders) {
    const payment = (byReference.get(keyOf(order)) ?? nothing).find((one) => !takenPayments.has(one));
    if (payment !== undefined) take(order, payment);
  }
  const byAmount = grouped(
    payments.filter((payment) => !takenPayments.has(payment)),
    amountOf,
  );
  for (const order of orders) {
    if (takenOrders.has(order)) continue;
    const candidates = cents.flatMap((cent) => byAmount.get(`${order.amount + cent}|${order.currency}`) ?? nothing);
    const payment = candidates.find((one) => !takenPayments.has(one) && Math.abs(one.day - order.day) <= daysApart);
    if (payment !== undefined) take(order, payment);
  }
  for (const source of orders) if (!takenOrders.has(source)) results.push({ outcome: 'missing_in_target', source });
  for (const target of payments) if (!takenPayments.has(target)) results.push({ outcome: 'missing_in_source', target });
  return { rows: results.length, checksum: takenOrders.size };
};

const calls = Number(warmCalls);
report({ samples: { key: await sampled(calls, byKey), band: await sampled(calls, byBand), both: await sampled(calls, bothPasses) } });
