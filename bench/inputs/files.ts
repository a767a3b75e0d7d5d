/** Both sides as CSV files, written once per size and kept. The files are what every peer is given, so that all do the same work. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { dayText } from '../../services/executions/src/domain/matching/day.ts';
import { inventName } from './names.ts';
import { codeOf, counterpartyCount, currencies, inventOrders, type Orders, paymentId, referenceOf, settlementOf } from './orders.ts';
import { inventPayments, type Payments, paidFor } from './payments.ts';
import { createRandom } from './random.ts';

const data = fileURLToPath(new URL('../data/', import.meta.url));
const here = fileURLToPath(new URL('.', import.meta.url));
const seed = 20_251_101;

export interface Files {
  readonly orders: string;
  readonly payments: string;
}

export const filesOf = (size: number): Files => ({ orders: `${data}orders-${size}.csv`, payments: `${data}payments-${size}.csv` });

/** Writes the files of this size unless they are there and were written by the generator as it is now. */
export const ensureFiles = async (size: number): Promise<Files> => {
  const files = filesOf(size);
  const stamp = `${data}generator-${size}.txt`;
  const version = versionOfGenerator();
  const isThere = existsSync(files.orders) && existsSync(files.payments) && existsSync(stamp) && readFileSync(stamp, 'utf8') === version;
  if (isThere) return files;
  mkdirSync(data, { recursive: true });
  const random = createRandom(seed);
  const names = Array.from({ length: counterpartyCount }, () => inventName(random));
  const orders = inventOrders(size, random);
  const payments = inventPayments(orders, random);
  await writeLines(files.orders, 'id,reference,amount,currency,date,counterparty,settlement', size, (row) => orderLine(orders, row, names));
  await writeLines(files.payments, 'id,reference,amount,currency,date,counterparty', payments.count, (row) =>
    paymentLine(payments, orders, row, names),
  );
  writeFileSync(stamp, version);
  return files;
};

const versionOfGenerator = (): string => {
  const hash = createHash('sha256');
  for (const file of ['random', 'names', 'orders', 'payments', 'files']) hash.update(readFileSync(`${here}${file}.ts`));
  return hash.digest('hex');
};

const orderLine = (orders: Orders, row: number, names: readonly string[]): string => {
  const settlement = orders.settlements[row] as number;
  return [
    row + 1,
    referenceOf(row),
    amountText(orders.amounts[row] as number),
    currencies[orders.currencies[row] as number],
    dayText(orders.days[row] as number),
    cell(names[orders.counterparties[row] as number] as string),
    settlement === 0 ? '' : settlementOf(settlement),
  ].join(',');
};

const paymentLine = (payments: Payments, orders: Orders, row: number, names: readonly string[]): string => {
  const day = dayText(payments.days[row] as number);
  const isOne = payments.kinds[row] === paidFor.one;
  const party = isOne ? (orders.counterparties[payments.numbers[row] as number] as number) : row % counterpartyCount;
  return [
    paymentId(row),
    paymentReference(payments, row, day),
    amountText(payments.amounts[row] as number),
    currencies[payments.currencies[row] as number],
    day,
    cell((names[party] as string).toUpperCase()),
  ].join(',');
};

const paymentReference = ({ kinds, numbers, spellings }: Payments, row: number, day: string): string => {
  const number = numbers[row] as number;
  if (kinds[row] === paidFor.keyedSettlement) return settlementOf(number);
  if (kinds[row] === paidFor.plainSettlement) return `SETTLEMENT ${day}`;
  const code = codeOf(number);
  switch (spellings[row]) {
    case 1:
      return `ord ${code.toLowerCase()}`;
    case 2:
      return `ORD${code}`;
    case 3:
      return `Ord-${code.slice(0, 4)}-${code.slice(4)}`;
    case 4:
      return code;
    case 5:
      return `ORD ${code.slice(0, 4)} ${code.slice(4)}`;
    default:
      return `ORD-${code}`;
  }
};

const amountText = (units: number): string => `${Math.floor(units / 100)}.${String(units % 100).padStart(2, '0')}`;
const cell = (text: string): string => (text.includes(',') ? `"${text}"` : text);

const linesPerWrite = 20_000;

/** Under another name until it is whole, so that a run that was stopped leaves no half of a file behind. */
const writeLines = async (path: string, header: string, count: number, lineOf: (row: number) => string): Promise<void> => {
  const file = await open(`${path}.part`, 'w');
  await file.write(`${header}\n`);
  for (let from = 0; from < count; from += linesPerWrite) {
    const lines = Array.from({ length: Math.min(linesPerWrite, count - from) }, (_, index) => lineOf(from + index));
    await file.write(`${lines.join('\n')}\n`);
  }
  await file.close();
  await rename(`${path}.part`, path);
};
