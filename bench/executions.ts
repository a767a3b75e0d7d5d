/**
 * Runs through a whole Settler, from the upload to stored results, beside what the database and DuckDB need for the same rows; how soon a
 * run begins; how fast its results are read; and how many items a worker hands out in a second, beside queues in PostgreSQL.
 * `npm run bench:executions`, about eight minutes, or three with `-- --quick`; with `-- dispatch`, the last of these alone.
 * docs/guides/benchmarks.md says what is measured and how to read it.
 */
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'peer-pg';
import { installWorkspace } from '../scripts/workspaces/install.ts';
import { temporaryDirectory } from './directory.ts';
import { load } from './http/load.ts';
import { ensureFiles } from './inputs/files.ts';
import { readArguments } from './measure/arguments.ts';
import { describe, type Figure, median, shown } from './measure/figures.ts';
import { runProgram } from './measure/program.ts';
import { bothPassesAsWritten } from './own/rules.ts';
import { type Settler, startSettler } from './settler.ts';
import { dispatchFigures } from './suites/dispatch.ts';

const { isQuick, part } = readArguments('executions', ['dispatch']);
const sizes = isQuick ? [10_000, 100_000] : [100_000, 1_000_000];
/** The first ones of a service pay for the compiler, and of a database for its files. They are shown, and not counted. */
const runsBefore = 2;
/** Of those that take many seconds, one tells. */
const runsOf = (size: number): number => (size <= 100_000 ? 3 : 1);
/** The first ones pay for the compiler, and are not counted. */
const starts = { before: 20, counted: isQuick ? 50 : 200 };
/** What a run leaves to be told, to the trail and to webhooks, is over by then, and the system idle. */
const idleMs = 100;
const readers = 100;
const dispatched = isQuick ? { items: 3_000, rounds: 3 } : { items: 10_000, rounds: 3 };
const seconds = isQuick ? 5 : 15;
/** Whoever looks more often takes a good part of two processors from the run that is measured; less often, and the end is seen late. */
const lookMs = 50;
const runTimeoutMs = 10 * 60_000;
/** Of a kilobyte. */
const logRows = isQuick ? 200_000 : 1_500_000;
const settleTimeoutMs = 2 * 60_000;

installWorkspace('bench');
console.log(`Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}, load ${loadavg()[0]?.toFixed(1)}`);

const timed = async <Value>(work: () => Promise<Value>): Promise<readonly [ms: number, value: Value]> => {
  const from = performance.now();
  const value = await work();
  return [performance.now() - from, value];
};

const fields = { id: 'id', reference: 'reference', amount: 'amount', currency: 'currency', date: 'date', counterparty: 'counterparty' };
const csv = { adapter: 'csv', config: { fields } };

/** Since when the process has been there, in megabytes. */
const peakMb = (pid: number): number => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

interface Stored {
  readonly executionId: string;
  readonly ms: number;
}

/** Uploads both sides, runs, and waits; says how long each stage took, as its progress told. */
const runThrough = async (settler: Settler, headers: Readonly<Record<string, string>>, size: number): Promise<Stored> => {
  const files = await ensureFiles(size);
  const upload = async (path: string): Promise<string> =>
    (await settler.ask(201, 'POST', '/v1/files?name=side.csv', { headers, file: path })).id;
  const job = { name: `${size} orders`, source: csv, target: csv, rules: bothPassesAsWritten };
  const { id: jobId } = await settler.ask(201, 'POST', '/v1/jobs', { headers, body: job });
  const from = performance.now();
  const source = await upload(files.orders);
  const target = await upload(files.payments);
  const stages: [string, number][] = [['upload', performance.now()]];
  const body = { source: { fileId: source }, target: { fileId: target } };
  const { id } = await settler.ask(202, 'POST', `/v1/jobs/${jobId}/executions`, { headers, body });
  for (const deadline = performance.now() + runTimeoutMs; ; ) {
    const { status, progress, error } = await settler.ask(200, 'GET', `/v1/executions/${id}`, { headers });
    if (stages.at(-1)?.[0] !== progress.stage) stages.push([progress.stage, performance.now()]);
    else (stages.at(-1) as [string, number])[1] = performance.now();
    if (status === 'completed') break;
    if (status === 'failed' || performance.now() > deadline) throw new Error(`the run of ${size} ${status}: ${JSON.stringify(error)}`);
    await delay(lookMs);
  }
  const ms = performance.now() - from;
  const told = stages.map(([stage, until], index) => `${stage} ${((until - (stages[index - 1]?.[1] ?? from)) / 1_000).toFixed(1)} s`);
  const { certificate, outcomes } = await settler.ask(200, 'GET', `/v1/executions/${id}/report`, { headers });
  if (!certificate.holds) throw new Error(`the certificate of the run of ${size} does not hold`);
  const results = outcomes.reduce((sum: number, { count }: { count: number }) => sum + count, 0);
  console.log(`${size} × ${size}: ${(ms / 1_000).toFixed(1)} s (${told.join(', ')}), ${results} records accounted for`);
  return { executionId: id, ms };
};

/** The same rows into tables like those they are in, one COPY each, by the server from its own disk. */
const floorOf = async (database: Client, folder: string, executionId: string): Promise<number> => {
  let ms = 0;
  for (const table of ['results', 'result_sums', 'result_digests', 'match_keys', 'exceptions', 'open_item_moves', 'open_items']) {
    const column = table === 'open_items' ? 'first_execution_id' : 'execution_id';
    const file = join(folder, table);
    await database.query(`copy (select * from ${table} where ${column} = '${executionId}') to '${file}'`);
    await database.query(`create table floor (like ${table} including defaults including indexes)`);
    ms += (await timed(() => database.query(`copy floor from '${file}'`)))[0];
    await database.query('drop table floor');
  }
  return ms;
};

interface OfDuckdb {
  /** From the files to its rows in a file. */
  readonly joinedMs: number;
  /** Those rows into a table of texts without an index. */
  readonly copiedMs: number;
}

const duckdbOf = async (database: Client, folder: string, size: number): Promise<OfDuckdb> => {
  const file = join(folder, 'duckdb.csv');
  const { values } = await runProgram('peers/duckdb-copy', [size, file]);
  chmodSync(file, 0o644);
  const side = (name: string) =>
    ['id', 'reference', 'amount', 'currency', 'date', 'counterparty'].map((field) => `${name}_${field} text`).join(', ');
  await database.query(`create table of_duckdb (outcome text, ${side('source')}, ${side('target')})`);
  const [copiedMs] = await timed(() => database.query(`copy of_duckdb from '${file}' (format csv)`));
  await database.query('drop table of_duckdb');
  return { joinedMs: values['ms'] ?? Number.NaN, copiedMs };
};

/** What was written makes the database busy for a while after it is over: whoever comes next is not to pay for that. */
const untilSettled = async (database: Client): Promise<void> => {
  await database.query('checkpoint');
  for (const deadline = performance.now() + settleTimeoutMs; performance.now() < deadline; await delay(500)) {
    const { rows } = await database.query(`select 1 from pg_stat_activity where backend_type = 'autovacuum worker'`);
    if (rows.length === 0) return;
  }
};

/**
 * As much as a large run writes to the log. A database that has been at work writes into files that are there, and a new one makes each of
 * them first: who comes first would pay for that, and nobody after it.
 */
const putToWork = async (database: Client): Promise<void> => {
  await database.query(`create table at_work as select repeat(md5(row::text), 31) as text from generate_series(1, ${logRows}) as row`);
  await database.query('drop table at_work');
  await untilSettled(database);
};

/** From when a run was accepted until a worker had it, on the database's clock, with nothing else on its way. */
const startFigures = async (settler: Settler, headers: Readonly<Record<string, string>>): Promise<Figure[]> => {
  const records = { adapter: 'records', config: {} };
  const job = { name: 'nothing to do', source: records, target: records, rules: { matching: [{ field: 'reference', type: 'exact' }] } };
  const { id: jobId } = await settler.ask(201, 'POST', '/v1/jobs', { headers, body: job });
  const waits: number[] = [];
  for (let run = 0; run < starts.before + starts.counted; run += 1) {
    await delay(idleMs);
    const body = { source: { records: [{ id: 'a', reference: 'R' }] }, target: { records: [{ id: 'b', reference: 'R' }] } };
    const { id } = await settler.ask(202, 'POST', `/v1/jobs/${jobId}/executions`, { headers, body });
    for (;;) {
      const { status, createdAt, startedAt } = await settler.ask(200, 'GET', `/v1/executions/${id}`, { headers });
      if (status === 'completed') {
        if (run >= starts.before) waits.push(Date.parse(startedAt) - Date.parse(createdAt));
        break;
      }
      await delay(5);
    }
  }
  waits.sort((one, other) => one - other);
  return [
    { name: 'from POST to running, median', value: median(waits), unit: 'ms', most: 15 },
    { name: 'from POST to running, 99th percentile', value: waits[Math.ceil(waits.length * 0.99) - 1] ?? Number.NaN, unit: 'ms', most: 60 },
  ];
};

/** One after another, by one client: the first page, and pages that are narrowed by what is rare in the run, or not in it at all. */
const pageFigures = async (
  settler: Settler,
  headers: Readonly<Record<string, string>>,
  results: string,
  reference: string,
): Promise<Figure[]> => {
  const narrowed = {
    first: '',
    matched: '&outcome=matched',
    'by text': `&q=${encodeURIComponent(reference)}`,
    'by text that is nowhere': '&q=q7x1zk9w',
    'by amount': '&minAmount=9999',
    'by pass': '&pass=by%20amount%20and%20date',
  };
  const medians: Record<string, number> = {};
  for (const [name, query] of Object.entries(narrowed)) {
    const times: number[] = [];
    for (let turn = 0; turn < 20; turn += 1)
      times.push((await timed(() => settler.ask(200, 'GET', `${results}?limit=50${query}`, { headers })))[0]);
    medians[name] = median(times);
  }
  console.log(
    `pages, median ms: ${Object.entries(medians)
      .map(([name, ms]) => `${name} ${shown(ms)}`)
      .join(', ')}`,
  );
  return [
    { name: 'first page of results, median', value: medians['first'] ?? Number.NaN, unit: 'ms', most: 50 },
    { name: 'slowest kind of page, median', value: Math.max(...Object.values(medians)), unit: 'ms', most: 100 },
  ];
};

const readFigures = async (settler: Settler, headers: Readonly<Record<string, string>>, executionId: string): Promise<Figure[]> => {
  const gateway = { name: 'Settler', url: settler.url, pid: settler.pids['gateway'] ?? 0 };
  const results = `/v1/executions/${executionId}/results`;
  const page = async (path: string): Promise<string> => (await settler.ask(200, 'GET', path, { headers })).nextCursor;
  const cursor = await page(`${results}?limit=100`);
  const { data: exceptions } = await settler.ask(200, 'GET', '/v1/exceptions?limit=100', { headers });
  const read = [
    `${results}?limit=50`,
    `${results}?limit=50&cursor=${cursor}`,
    `${results}?limit=50&outcome=missing_in_target`,
    `/v1/executions/${executionId}`,
    '/v1/exceptions?limit=50',
    `/v1/exceptions/${exceptions[0].id}`,
  ].map((path) => ({ method: 'GET' as const, path }));
  const wanted = { path: '/', seconds, connections: readers, headers };
  // Cold code is nobody's figure.
  await load(gateway, { ...wanted, requests: read });
  const reading = await load(gateway, { ...wanted, requests: read });
  const paced = await load(gateway, { ...wanted, requests: read, isPaced: true });
  const write = exceptions.map(({ id }: { id: string }) => ({
    method: 'POST' as const,
    path: `/v1/exceptions/${id}/comments`,
    body: JSON.stringify({ text: 'looked at' }),
  }));
  const pages = await pageFigures(settler, headers, results, exceptions[0].records[0].reference);
  const json = { ...headers, 'content-type': 'application/json' };
  const writing = await load(gateway, { ...wanted, headers: json, requests: write });
  console.log(
    `${readers} at once: reads ${reading.perSecond.toFixed(0)}/s, p50 ${shown(reading.p50Ms)} ms; writes ${writing.perSecond.toFixed(0)}/s, p50 ${shown(writing.p50Ms)} ms; no errors`,
  );
  return [
    ...pages,
    { name: `reads by ${readers}, each once a second, 95th percentile`, value: paced.p95Ms, unit: 'ms', most: 100 },
    { name: `reads by ${readers} without a pause, 95th percentile`, value: reading.p95Ms, unit: 'ms', most: 100 },
    { name: `writes by ${readers} without a pause, 95th percentile`, value: writing.p95Ms, unit: 'ms', most: 500 },
  ];
};

/** What is asked of a whole Settler. */
const settlerFigures = async (): Promise<Figure[]> => {
  const folder = temporaryDirectory('settler-bench-copy-');
  // PostgreSQL, as whoever it runs, writes and reads here.
  chmodSync(folder, 0o777);
  const settler = await startSettler();
  // Not before what this needs is installed.
  const { Client: DatabaseClient } = await import('peer-pg');
  const database = new DatabaseClient({ ...settler.postgres, database: 'settler_executions' });
  try {
    await database.connect();
    const headers = { 'x-api-key': await settler.createKey('*') };
    await putToWork(database);
    const figures: Figure[] = [...(await startFigures(settler, headers))];
    let last = '';
    for (let run = 0; run < runsBefore; run += 1) await runThrough(settler, headers, sizes[0] ?? 0);
    for (const size of sizes) {
      const runs: { readonly ms: number; readonly floorMs: number; readonly duckdbMs: number; readonly bareMs: number }[] = [];
      for (let run = 0; run < runsOf(size); run += 1) {
        await untilSettled(database);
        const { executionId, ms } = await runThrough(settler, headers, size);
        await untilSettled(database);
        const floorMs = await floorOf(database, folder, executionId);
        await untilSettled(database);
        const { joinedMs, copiedMs } = await duckdbOf(database, folder, size);
        const told = `COPY of the same rows ${shown(floorMs)} ms; DuckDB ${shown(joinedMs)} ms, and COPY of its own rows ${shown(copiedMs)} ms`;
        console.log(`${size} × ${size}: ${told}`);
        runs.push({ ms, floorMs, duckdbMs: joinedMs + floorMs, bareMs: joinedMs + copiedMs });
        last = executionId;
      }
      const middle = (part: keyof (typeof runs)[number]): number => median(runs.map((run) => run[part]));
      const ms = middle('ms');
      console.log(`${size} × ${size}: Settler / DuckDB and COPY of its own rows ${shown(ms / middle('bareMs'))} ×, without a goal`);
      figures.push({
        name: `upload to results, ${size} / DuckDB and COPY of the same rows`,
        value: ms / middle('duckdbMs'),
        unit: '×',
        most: 1.5,
      });
      figures.push({ name: `upload to results, ${size} / COPY of the same rows`, value: ms / middle('floorMs'), unit: '×', most: 2.5 });
    }
    figures.push({ name: 'peak memory of executions', value: peakMb(settler.pids['executions'] ?? 0), unit: 'MB', most: 1_536 });
    await untilSettled(database);
    figures.push(...(await readFigures(settler, headers, last)));
    return figures;
  } finally {
    await database.end();
    await settler.stop();
    rmSync(folder, { recursive: true, force: true });
  }
};

const figures = part === 'dispatch' ? [] : await settlerFigures();
figures.push(...(await dispatchFigures(dispatched)));
console.log('');
for (const figure of figures) console.log(describe(figure));
