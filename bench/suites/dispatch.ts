/** How many items that do nothing a worker's process carries out in a second, beside queues that live in PostgreSQL alone. */
import { type Figure, median, shown } from '../measure/figures.ts';
import { runProgram } from '../measure/program.ts';
import { startStores } from '../stores.ts';

export interface Dispatched {
  readonly items: number;
  readonly rounds: number;
}

const programs = { Settler: 'own/dispatch', 'pg-boss': 'peers/pg-boss', 'graphile-worker': 'peers/graphile-worker' } as const;
type Name = keyof typeof programs;

/** Each round of each on a database of its own, which goes with it: dead rows are nobody else's. */
export const dispatchFigures = async ({ items, rounds }: Dispatched): Promise<Figure[]> => {
  const stores = await startStores();
  const { host, port, user, password } = stores.postgres;
  const administer = async (...statements: string[]): Promise<void> => {
    // Not before what this needs is installed.
    const { Client } = await import('peer-pg');
    const client = new Client({ ...stores.postgres, database: 'postgres' });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const prepare = async (name: Name, database: string): Promise<Readonly<Record<string, string>>> => {
    // As many runs at once as the setting allows.
    if (name === 'Settler') return stores.provisionExecutions(database, { WORKER_SLOTS: '32', LOG_LEVEL: 'warn' });
    await administer(`create database ${database}`);
    return { DATABASE_URL: `postgres://${user}:${password}@${host}:${port}/${database}` };
  };
  try {
    console.log(`\n${items} items that do nothing, per second, in turn`);
    const perSecond: Record<Name, number[]> = { Settler: [], 'pg-boss': [], 'graphile-worker': [] };
    for (let round = 0; round < rounds; round += 1)
      for (const name of Object.keys(programs) as Name[]) {
        const database = `${name.replaceAll('-', '_').toLowerCase()}_${round}`;
        const { values } = await runProgram(programs[name], [items], await prepare(name, database));
        perSecond[name].push(values['per second'] ?? Number.NaN);
        console.log(
          `${name.padEnd(16)} ${Object.entries(values)
            .map(([what, value]) => `${what} ${shown(value)}`)
            .join(', ')}`,
        );
        await administer(`drop database ${database}${name === 'Settler' ? '_executions' : ''} with (force)`);
      }
    const of = (peer: Name): number => median(perSecond.Settler) / median(perSecond[peer]);
    return [
      { name: 'dispatch, items per second / pg-boss', value: of('pg-boss'), unit: '×', least: 2 },
      { name: 'dispatch, items per second / graphile-worker', value: of('graphile-worker'), unit: '×', least: 1 },
    ];
  } finally {
    await stores.stop();
  }
};
