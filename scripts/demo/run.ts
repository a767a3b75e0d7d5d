/** The demo: one month of a shop, reconciled through the public API, and told in the words of the person who asked for it. */
import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Api, createApi } from './api.ts';
import { type Delivered, describeRun, type Execution, type Report } from './describe.ts';
import { exampleFiles } from './example-files.ts';
import { shopJob } from './job.ts';

export interface DemoOptions {
  readonly url: string;
  readonly dataDir: string;
  readonly print: (line: string) => void;
}

interface Kept {
  readonly apiKey: string;
  readonly jobId: string;
}

const runTimeoutMs = 60_000;
const deliveryTimeoutMs = 15_000;

/** @throws Error where a step of it is refused or takes too long */
export const runDemo = async ({ url, dataDir, print }: DemoOptions): Promise<void> => {
  const kept = await ensureOrganization(url, join(dataDir, 'demo.json'));
  const api = createApi(url, { 'x-api-key': kept.apiKey });
  const receiver = await startReceiver();
  let webhookId: string | undefined;
  try {
    const webhook = await api.send<{ id: string; secret: string }>('POST', '/v1/webhooks', {
      url: receiver.url,
      events: ['execution.completed'],
      description: 'demo',
    });
    webhookId = webhook.id;
    receiver.trust(webhook.secret);
    const execution = await runJob(api, kept.jobId);
    const [delivered, report, exceptions] = await Promise.all([
      receiver.delivered(deliveryTimeoutMs),
      api.send<Report>('GET', `/v1/executions/${execution.id}/report`),
      api.send<{ data: Parameters<typeof describeRun>[0]['exceptions'] }>(
        'GET',
        `/v1/exceptions?jobId=${kept.jobId}&status=open&limit=200`,
      ),
    ]);
    for (const line of describeRun({
      url,
      apiKey: kept.apiKey,
      jobId: kept.jobId,
      execution,
      report,
      exceptions: exceptions.data,
      delivered,
    }))
      print(line);
  } finally {
    receiver.stop();
    // Also where the demo failed: else what happens would be sent to nobody from then on.
    if (webhookId !== undefined)
      await fetch(`${url}/v1/webhooks/${webhookId}`, { method: 'DELETE', headers: { 'x-api-key': kept.apiKey } }).catch(() => undefined);
  }
};

/** The organization of the first start, whose key is kept beside the data; a new one where there is none. */
const ensureOrganization = async (url: string, file: string): Promise<Kept> => {
  if (existsSync(file)) return JSON.parse(readFileSync(file, 'utf8')) as Kept;
  const account = {
    email: `demo-${randomBytes(4).toString('hex')}@example.com`,
    password: randomBytes(24).toString('base64url'),
    organizationName: 'Harbour Coffee',
  };
  const { accessToken } = await createApi(url).send<{ accessToken: string }>('POST', '/v1/auth/register', account);
  const { key } = await createApi(url, { authorization: `Bearer ${accessToken}` }).send<{ key: string }>('POST', '/v1/api-keys', {
    name: 'demo',
    scopes: ['*'],
  });
  const { id } = await createApi(url, { 'x-api-key': key }).send<{ id: string }>('POST', '/v1/jobs', shopJob);
  const kept = { apiKey: key, jobId: id };
  writeFileSync(file, `${JSON.stringify(kept)}\n`, { mode: 0o600 });
  return kept;
};

const runJob = async (api: Api, jobId: string): Promise<Execution> => {
  const [orders, balance] = exampleFiles();
  const source = await api.upload('shopify-orders.csv', orders?.content ?? '');
  const target = await api.upload('stripe-balance.csv', balance?.content ?? '');
  const { id } = await api.send<Execution>('POST', `/v1/jobs/${jobId}/executions`, {
    source: { fileId: source.id },
    target: { fileId: target.id },
  });
  const endAt = performance.now() + runTimeoutMs;
  while (performance.now() < endAt) {
    const execution = await api.send<Execution>('GET', `/v1/executions/${id}`);
    if (execution.status === 'completed') return execution;
    if (execution.status !== 'queued' && execution.status !== 'running')
      throw new Error(`the execution ${id} ended ${execution.status}: ${execution.error?.message ?? ''}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`the execution ${id} did not end within ${runTimeoutMs / 1000} s`);
};

type Said = { kind: 'listening'; port: number } | ({ kind: 'event' } & Delivered) | { kind: 'refused'; reason: string };

const startReceiver = async () => {
  const child: ChildProcess = fork(new URL('./receiver.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const events: Delivered[] = [];
  child.on('message', (said: Said) => said.kind === 'event' && events.push(said));
  const [first] = (await once(child, 'message')) as [Said];
  if (first.kind !== 'listening') throw new Error('the receiver did not start');
  return {
    url: `http://127.0.0.1:${first.port}/webhooks`,
    trust: (secret: string) => child.send({ secret }),
    /** What it saw within the time; undefined when nothing came. */
    delivered: async (timeoutMs: number): Promise<Delivered | undefined> => {
      const endAt = performance.now() + timeoutMs;
      while (events.length === 0 && performance.now() < endAt) await new Promise((resolve) => setTimeout(resolve, 50));
      return events[0];
    },
    stop: () => child.disconnect(),
  };
};
