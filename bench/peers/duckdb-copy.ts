/**
 * DuckDB from the files to a file that PostgreSQL copies in: both sides loaded, joined by reference and then by amount and date, one row
 * per pair and per record without one. `duckdb-copy.ts SIZE TARGET` ends with how long that took.
 */
import { DuckDBInstance } from '@duckdb/node-api';
import { filesOf } from '../inputs/files.ts';
import { report, timed } from '../measure/sample.ts';

const [size = '', target = ''] = process.argv.slice(2);
const { orders, payments } = filesOf(Number(size));

const columns = (more: string): string =>
  `{'id': 'VARCHAR', 'reference': 'VARCHAR', 'amount': 'DECIMAL(18,2)', 'currency': 'VARCHAR', 'date': 'DATE', 'counterparty': 'VARCHAR'${more}}`;
const load = (table: string, file: string, more = ''): string =>
  `CREATE TABLE ${table} AS SELECT *, replace(translate(upper(reference), ' -', ''), 'ORD', '') AS plain FROM read_csv('${file}', header = true, auto_detect = false, delim = ',', quote = '"', columns = ${columns(more)})`;
const shown = (side: string): string =>
  `${side}.id, ${side}.reference, ${side}.amount, ${side}.currency, ${side}.date, ${side}.counterparty`;
const nothing = 'NULL, NULL, NULL, NULL, NULL, NULL';
const others = 'SELECT * FROM';

const steps = [
  load('orders', orders, ", 'settlement': 'VARCHAR'"),
  load('payments', payments),
  'CREATE TABLE by_key AS SELECT o.id AS source, p.id AS target FROM orders o JOIN payments p ON o.plain = p.plain AND o.currency = p.currency',
  `CREATE TABLE by_band AS SELECT o.id AS source, p.id AS target
     FROM (${others} orders WHERE id NOT IN (SELECT source FROM by_key)) o
     JOIN (SELECT p.*, p.amount + cents.c * 0.01 AS near, p.date + days.d AS day FROM payments p, (VALUES (-1), (0), (1)) AS cents(c), (VALUES (-3), (-2), (-1), (0), (1), (2), (3)) AS days(d)
            WHERE p.id NOT IN (SELECT target FROM by_key)) p
       ON o.currency = p.currency AND o.amount = p.near AND o.date = p.day`,
  'CREATE TABLE pairs AS SELECT * FROM by_key UNION ALL SELECT * FROM by_band',
  `COPY (
     SELECT 'matched', ${shown('o')}, ${shown('p')} FROM pairs JOIN orders o ON o.id = source JOIN payments p ON p.id = target
     UNION ALL SELECT 'missing_in_target', ${shown('o')}, ${nothing} FROM orders o WHERE id NOT IN (SELECT source FROM pairs)
     UNION ALL SELECT 'missing_in_source', ${nothing}, ${shown('p')} FROM payments p WHERE id NOT IN (SELECT target FROM pairs)
   ) TO '${target}' (FORMAT csv, HEADER false)`,
];

const connection = await (await DuckDBInstance.create(':memory:', {})).connect();
await connection.run('SET preserve_insertion_order = false');
const { wallMs } = await timed(async () => {
  for (const step of steps) await connection.run(step);
});
report({ values: { ms: wallMs } });
