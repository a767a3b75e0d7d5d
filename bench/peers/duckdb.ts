/**
 * DuckDB on one thread, each question in its best form that is known. Written as one would say it, with two BETWEENs, a band join
 * compares everything with everything; amounts and days become keys by listing what a key may equal.
 *
 * `duckdb.ts load SIZE` reads both files into typed tables; `duckdb.ts joins SIZE CALLS [QUESTION …]` joins them.
 */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { filesOf } from '../inputs/files.ts';
import { type Answer, report, type Sample, sampled, timed } from '../measure/sample.ts';

const [mode, size = '', warmCalls = '0', ...asked] = process.argv.slice(2);
const { orders, payments } = filesOf(Number(size));

const columns = (more: string): string =>
  `{'id': 'VARCHAR', 'reference': 'VARCHAR', 'amount': 'DECIMAL(18,2)', 'currency': 'VARCHAR', 'date': 'DATE', 'counterparty': 'VARCHAR'${more}}`;
const readCsv = (file: string, more = ''): string =>
  `read_csv('${file}', header = true, auto_detect = false, delim = ',', quote = '"', columns = ${columns(more)})`;
const ofOrders = readCsv(orders, ", 'settlement': 'VARCHAR'");
const ofPayments = readCsv(payments);

/** Whole numbers of cents and days are what it compares fastest. */
const inWholeNumbers = `id, reference, currency, (amount * 100)::INTEGER AS minor, (date - DATE '1970-01-01')::INTEGER AS day`;

const sums = 'SELECT count(*), sum(o.row * 31 + p.row)';
const cents = '(VALUES (-1), (0), (1)) AS cents(c)';
const days = '(VALUES (-3), (-2), (-1), (0), (1), (2), (3)) AS days(d)';
const plain = (reference: string): string => `replace(translate(upper(${reference}), ' -', ''), 'ORD', '')`;
const packed = `(CASE currency WHEN 'EUR' THEN 0 WHEN 'USD' THEN 1 WHEN 'GBP' THEN 2 ELSE 3 END)::BIGINT * 1000000000000 + minor::BIGINT * 100000 + day`;

const questions = {
  key: `${sums} FROM (SELECT *, rowid AS row FROM orders) o JOIN (SELECT *, rowid AS row FROM payments) p ON ${plain('o.reference')} = ${plain('p.reference')} AND o.currency = p.currency`,
  /** Three amounts and seven days for every payment. */
  bandOf21: `${sums} FROM (SELECT *, rowid AS row FROM orders) o
    JOIN (SELECT rowid AS row, currency, minor + c AS minor, day + d AS day FROM payments, ${cents}, ${days}) p
    ON o.currency = p.currency AND o.minor = p.minor AND o.day = p.day`,
  /** The same as one number. */
  bandOfPacked: `${sums} FROM (SELECT rowid AS row, ${packed} AS key FROM payments) p
    JOIN (SELECT row, key + c * 100000 + d AS key FROM (SELECT rowid AS row, ${packed} AS key FROM orders), ${cents}, ${days}) o
    ON o.key = p.key`,
  /** Three amounts, and the one or two weeks that the days lie in; the days themselves are compared afterwards. */
  bandOfWeeks: `${sums} FROM (SELECT *, rowid AS row, day // 7 AS week FROM orders) o
    JOIN (SELECT rowid AS row, currency, minor + c AS minor, day, (day + d) // 7 AS week FROM payments, ${cents}, (VALUES (-3), (3)) AS ends(d)
      WHERE d = -3 OR (day + 3) // 7 <> (day - 3) // 7) p
    ON o.currency = p.currency AND o.minor = p.minor AND o.week = p.week AND o.day BETWEEN p.day - 3 AND p.day + 3`,
};

const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
const connection = await instance.connect();
// Left to itself it would keep the order of rows, which nobody asks of it here.
await connection.run('SET preserve_insertion_order = false');

const ask = async (database: DuckDBConnection, question: string): Promise<Answer> => {
  const [row = []] = (await database.runAndReadAll(question)).getRows();
  return { rows: Number(row[0]), checksum: Number(row[1]) };
};

if (mode === 'load') {
  const { cpuMs, wallMs } = await timed(async () => {
    await connection.run(`CREATE TABLE orders AS SELECT * FROM ${ofOrders}`);
    await connection.run(`CREATE TABLE payments AS SELECT * FROM ${ofPayments}`);
  });
  const { rows } = await ask(connection, 'SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM payments), 0');
  report({ samples: { load: { cold: { cpuMs, wallMs }, warm: [], rows, checksum: 0 } } });
} else {
  await connection.run(`CREATE TABLE orders AS SELECT ${inWholeNumbers}, counterparty, settlement FROM ${ofOrders}`);
  await connection.run(`CREATE TABLE payments AS SELECT ${inWholeNumbers}, counterparty FROM ${ofPayments}`);
  const samples: Record<string, Sample> = {};
  for (const [name, question] of Object.entries(questions)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    samples[name] = await sampled(Number(warmCalls), () => ask(connection, question));
  }
  report({ samples });
}
