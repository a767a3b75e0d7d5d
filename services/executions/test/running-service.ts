/** The service on an island of its own, with jobs and members that are answered for it, and the calls that most tests make. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { databaseSettings, loadConfig } from '@settler/chassis/config';
import { createLogger } from '@settler/chassis/logger';
import { openServiceDatabase } from '@settler/chassis/service-database';
import type { ChassisTables } from '@settler/chassis/tables';
import type { JobDefinition } from '@settler/contracts/internal/job-definition';
import { type Client, client, createIsland, type StartOptions, startService, waitFor } from '@settler/harness';
import pg from 'pg';
import { expect } from 'vitest';
import { z } from 'zod';

export const organizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
export const otherOrganizationId = 'org_01jqv8m0c4e7r9t2w5y8a1b3d7';

export type Fields = Readonly<Record<string, unknown>>;
export const euro = (id: string, amount: string, more: Fields = {}): Fields => ({
  id,
  amount,
  currency: 'EUR',
  date: '2026-04-01',
  reference: id.slice(1),
  ...more,
});

export const byReference = {
  passes: [
    {
      name: 'by reference',
      match: [
        { field: 'reference', type: 'exact' },
        { field: 'amount', type: 'amount', tolerance: { absolute: '0.01' }, verify: true },
      ],
    },
  ],
};

export const forgetful = { ...byReference, openItems: { carryForward: false } };
export const flagging = { ...byReference, duplicates: { by: ['reference', 'amount'], action: 'flag' } };

/** Jobs that are made as they are needed, each with rules of its own. */
export const createJobs = () => {
  const rulesOf = new Map<string, object>();
  const jobWith = (rules: object): string => {
    const jobId = `job_01jqv8m0c4e7r9t2w5y8a5${String(rulesOf.size).padStart(4, '0')}`;
    rulesOf.set(jobId, rules);
    return jobId;
  };
  return { rulesOf, jobWith };
};

/** What the jobs service says of a job; one without rules there is not. Every job reads records from both sides, unless `more` says otherwise. */
type RulesOf = (jobId: string) => unknown;
type More = (jobId: string) => Partial<JobDefinition>;
const alwaysByReference: RulesOf = () => byReference;
const nothingMore: More = () => ({});

const launch = async (rulesOf: RulesOf, more: More, options: StartOptions = {}) => {
  const island = await createIsland();
  await island.provision('executions');
  const jobs = createServer((request, response) => {
    const jobId = request.url?.split('/')[3] ?? '';
    const rules = rulesOf(jobId);
    const side = { adapter: 'records', config: {} };
    const definition = {
      jobId,
      name: 'a job',
      status: 'active',
      version: 1,
      source: side,
      target: side,
      rules,
      ...more(jobId),
    };
    response
      .writeHead(rules === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(definition satisfies JobDefinition | object));
  });
  const nonMembers = new Set<string>();
  let identityStatus = 200;
  const identity = createServer((request, response) => {
    const userId = request.url?.split('/')[3] ?? '';
    response
      .writeHead(identityStatus, { 'content-type': 'application/json' })
      .end(JSON.stringify({ userId, active: !nonMembers.has(userId) }));
  });
  const servers = [jobs, identity];
  for (const server of servers) await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const urlOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = island.environmentFor('executions', {
    JOBS_URL: urlOf(jobs),
    IDENTITY_URL: urlOf(identity),
    SWEEP_MS: '300',
  });
  const service = await startService('executions', environment, options);
  return {
    island,
    environment,
    service,
    nonMembers,
    setIdentityStatus: (status: number) => {
      identityStatus = status;
    },
    stop: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
      await island.dispose();
    },
  };
};

type Launched = Awaited<ReturnType<typeof launch>>;

const callsOf = async (
  { island, environment, service, nonMembers, setIdentityStatus }: Launched,
  stop: (database: pg.Client) => Promise<void>,
) => {
  const tokenFor = (organization: string) => island.principalToken({ audience: 'executions', organizationId: organization, scopes: ['*'] });
  const api = client(service.url, { token: () => tokenFor(organizationId) });
  const database = new pg.Client(island.databaseConfig('executions', 'admin'));
  await database.connect();

  const must = async (status: number, answer: ReturnType<Client['get']>) => {
    const { status: given, body } = await answer;
    expect({ status: given, body }).toMatchObject({ status });
    return body;
  };
  const over = (id: string) =>
    waitFor(
      async () => {
        const { body } = await api.get(`/v1/executions/${id}`);
        return ['queued', 'running'].includes(body.status) ? undefined : body;
      },
      { timeoutMs: 45_000, what: `the end of ${id}` },
    );
  const settled = async (id: string) => {
    const body = await over(id);
    if (body.status !== 'completed') throw new Error(`${id} ${body.status}: ${JSON.stringify(body.error)}`);
    return body;
  };
  return {
    island,
    /** Users whom identity does not know as members; it knows all others. */
    nonMembers,
    setIdentityStatus,
    environment,
    service,
    api,
    stranger: api.as({ token: () => tokenFor(otherOrganizationId) }),
    database,
    must,
    /** For calls whose answers are read as they come. */
    address: () => ({ url: service.url, token: tokenFor(organizationId) }),
    download: async (path: string) => {
      const answer = await fetch(service.url + path, { headers: { authorization: `Bearer ${tokenFor(organizationId)}` } });
      expect(answer.status).toBe(200);
      return answer;
    },
    /** As an operator has it. */
    openPostgres: () =>
      openServiceDatabase<ChassisTables>(
        'executions',
        loadConfig(z.object(databaseSettings), { ...environment, DB_POOL_MIN: '0' }),
        createLogger('executions', 'error'),
      ),
    logs: () => service.logs().join('\n'),
    /** The run once it has ended, in whatever way. */
    over,
    /** The run once it is completed. @throws when it ends otherwise. */
    settled,
    run: async (jobId: string, source: readonly Fields[], target: readonly Fields[]) => {
      const { id } = await must(
        202,
        api.post(`/v1/jobs/${jobId}/executions`, { source: { records: source }, target: { records: target } }),
      );
      return settled(id);
    },
    exceptionsOf: async (jobId: string, filter = '') => (await must(200, api.get(`/v1/exceptions?jobId=${jobId}${filter}`))).data,
    messages: async (type: string) => {
      const { rows } = await database.query(
        `select data from (select body::jsonb->'data' as data, body::jsonb->>'type' as type, position from outbox
           union all select body::jsonb->'data', body::jsonb->>'type', position from outbox_sent) as said
         where type = $1 order by position`,
        [type],
      );
      return rows.map(({ data }) => data);
    },
    stop: () => stop(database),
  };
};

export type Executions = Awaited<ReturnType<typeof callsOf>>;

/** A service of one's own, to be stopped, killed, or given an older database. */
export const startExecutions = async (rulesOf = alwaysByReference, more = nothingMore): Promise<Executions> => {
  const launched = await launch(rulesOf, more);
  return callsOf(launched, async (database) => {
    await database.end();
    await launched.stop();
  });
};

let shared: Promise<Launched> | undefined;
let rulesOfNow = alwaysByReference;
let moreNow = nothingMore;

/**
 * One service for the test files of a worker, one after the other, until the run ends: it is started and warm already, which costs more
 * than most of what is tested on it. Whoever uses it leaves it running, and its tables as they were made; `stop` empties them.
 */
export const shareExecutions = async (rulesOf = alwaysByReference, more = nothingMore): Promise<Executions> => {
  [rulesOfNow, moreNow] = [rulesOf, more];
  shared ??= launch(
    (jobId) => rulesOfNow(jobId),
    (jobId) => moreNow(jobId),
    { endsWith: 'the run' },
  );
  const launched = await shared;
  return callsOf(launched, async (database) => {
    launched.nonMembers.clear();
    launched.setIdentityStatus(200);
    await emptied(database);
    await database.end();
  });
};

/** What migrations have written stays: their own record, and the row of the relay's lease. */
const emptied = async (database: pg.Client): Promise<void> => {
  await waitFor(async () => (await database.query('select 1 from outbox limit 1')).rowCount === 0, { what: 'all to be published' });
  const { rows } = await database.query<{ table: string }>(
    `select quote_ident(tablename) as table from pg_tables
      where schemaname = 'public' and tablename not like 'kysely%' and tablename <> 'relay_lease'`,
  );
  // Rows and no tables are locked: the service goes on with its rounds meanwhile.
  for (const { table } of rows) await database.query(`delete from ${table}`);
};
