/** A Settler of its own, for its identity, and before the upstream a gateway of that installation. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Service, services } from '../../packages/contracts/src/services.ts';
import { createTail, launchProcess, untilReady } from '../../packages/local/src/processes/launch.ts';
import { serviceEnvironment } from '../../packages/local/src/services/environment.ts';
import { inCheckout } from '../../packages/local/src/services/launch.ts';
import { loadSecrets } from '../../scripts/supervisor/secrets.ts';
import { cores, type Server, startServer } from './servers.ts';

export interface Settler {
  readonly accessToken: string;
  readonly createKey: () => Promise<string>;
  readonly startGateway: (port: number, upstream: string) => Promise<Server>;
  readonly stop: () => Promise<void>;
}

const startTimeoutMs = 120_000;
const graceMs = 12_000;

export const startSettler = async (): Promise<Settler> => {
  const data = mkdtempSync(join(tmpdir(), 'settler-bench-'));
  const tail = createTail();
  const launch = {
    name: 'Settler',
    command: process.execPath,
    arguments: ['--conditions=@settler/source', inCheckout('scripts/start.ts')],
    workingDirectory: inCheckout(''),
    environment: {
      PATH: process.env['PATH'] ?? '',
      HOME: tmpdir(),
      SETTLER_DATA_DIR: data,
      SETTLER_DEMO: '0',
      PORT: '0',
      RATE_LIMIT_DEFAULT: '100000',
    },
    stopSignal: 'SIGTERM' as const,
    isReady: async () => tail.text().includes('Settler is ready at'),
  };
  const running = launchProcess(launch, tail.add);
  const stop = async (): Promise<void> => {
    await running.stop(graceMs);
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await untilReady(launch, running, { timeoutMs: startTimeoutMs, lastLines: tail.text });
    const processes = JSON.parse(readFileSync(join(data, 'processes.json'), 'utf8')) as Record<string, { readonly port: number }>;
    const ports = Object.fromEntries(services.map((service) => [service, processes[service]?.port ?? 0])) as Record<Service, number>;
    const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Record<string, string>> => {
      const answer = await fetch(`http://127.0.0.1:${ports.gateway}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      });
      if (answer.status !== 201) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
      return (await answer.json()) as Record<string, string>;
    };
    const account = { email: 'bench@example.com', password: 'a password of several words', organizationName: 'Bench' };
    const { accessToken = '' } = await post('/v1/auth/register', account);
    return {
      accessToken,
      stop,
      createKey: async () => {
        const created = await post('/v1/api-keys', { name: 'bench', scopes: ['jobs:read'] }, { authorization: `Bearer ${accessToken}` });
        return created['key'] ?? '';
      },
      startGateway: (port, upstream) => {
        const environment = serviceEnvironment('gateway', {
          name: 'settler',
          secrets: loadSecrets(join(data, 'secrets.json')),
          postgres: { host: '127.0.0.1', port: 0 },
          brokerUrl: () => '',
          ports: { ...ports, gateway: port },
          ownPorts: [],
          settings: { RATE_LIMIT_DEFAULT: '1000000000', JOBS_URL: upstream, PUBLIC_URL: `http://127.0.0.1:${ports.gateway}` },
        });
        const args = ['--conditions=@settler/source', inCheckout('services/gateway/src/main.ts')];
        return startServer({
          name: 'gateway',
          core: cores.server,
          port,
          command: process.execPath,
          args,
          environment,
          readyPath: '/health/ready',
        });
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
