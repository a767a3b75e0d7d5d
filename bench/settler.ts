/** A Settler of its own, as `npm start` starts it, in a directory that goes with it. */
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Service, services } from '../packages/contracts/src/services.ts';
import { createTail, untilReady } from '../packages/local/src/processes/launch.ts';
import { serviceEnvironment } from '../packages/local/src/services/environment.ts';
import { inCheckout, memoryGoesBack } from '../packages/local/src/services/launch.ts';
import { settlerLaunch } from '../scripts/supervisor/launch.ts';
import { loadSecrets } from '../scripts/supervisor/secrets.ts';
import { temporaryDirectory } from './directory.ts';
import { cores, type Server, startServer } from './http/servers.ts';
import { launched } from './launched.ts';

export interface Settler {
  /** Of its gateway. */
  readonly url: string;
  readonly accessToken: string;
  readonly createKey: (...scopes: string[]) => Promise<string>;
  /** @throws where the status is another one */
  readonly ask: (status: number, method: 'GET' | 'POST', path: string, options: Asked) => Promise<Json>;
  /** Process ids by name, such as `executions`. */
  readonly pids: Readonly<Record<string, number>>;
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  /** Another gateway of this installation, which takes the routes of jobs and executions to `upstream`. */
  readonly startGateway: (port: number, upstream: string) => Promise<Server>;
  readonly stop: () => Promise<void>;
}

// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes, each read in one place.
type Json = any;

export interface Asked {
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The path of what is sent as it is, as CSV. */
  readonly file?: string;
}

/** What is measured asks more in a second than anybody should in an hour. */
const noLimit = '1000000000';
const startTimeoutMs = 120_000;
/** Bytes of a file that are read at once: in smaller pieces, who sends them is as busy as who takes them. */
const highWaterMark = 2 ** 20;
const graceMs = 12_000;

export const startSettler = async (): Promise<Settler> => {
  const data = temporaryDirectory('settler-bench-');
  const tail = createTail();
  const environment = { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), RATE_LIMIT_DEFAULT: noLimit };
  const launch = settlerLaunch(data, environment, tail.text);
  const running = launched(launch, tail.add);
  const stop = async (): Promise<void> => {
    await running.stop(graceMs);
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await untilReady(launch, running, { timeoutMs: startTimeoutMs, lastLines: tail.text });
    const processes = JSON.parse(readFileSync(join(data, 'processes.json'), 'utf8')) as Record<
      string,
      { readonly pid: number; readonly port: number }
    >;
    const ports = Object.fromEntries(services.map((service) => [service, processes[service]?.port ?? 0])) as Record<Service, number>;
    const secrets = loadSecrets(join(data, 'secrets.json'));
    const url = `http://127.0.0.1:${ports.gateway}`;
    const ask: Settler['ask'] = async (status, method, path, { headers, body, file }) => {
      const type = file === undefined ? 'application/json' : 'text/csv';
      const content = file === undefined ? (body === undefined ? null : JSON.stringify(body)) : createReadStream(file, { highWaterMark });
      const answer = await fetch(url + path, {
        method,
        headers: { ...(content === null ? {} : { 'content-type': type }), ...headers },
        body: content as NonNullable<RequestInit['body']> | null,
        // As long as the body comes from somewhere else, nobody may answer before it has come.
        duplex: 'half',
      });
      if (answer.status !== status) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
      return answer.json();
    };
    const account = { email: 'bench@example.com', password: 'a password of several words', organizationName: 'Bench' };
    const { accessToken } = await ask(201, 'POST', '/v1/auth/register', { headers: {}, body: account });
    return {
      url,
      accessToken,
      ask,
      pids: Object.fromEntries(Object.entries(processes).map(([name, { pid }]) => [name, pid])),
      postgres: { host: '127.0.0.1', port: processes['postgres']?.port ?? 0, user: 'postgres', password: secrets.postgresPassword },
      stop,
      createKey: async (...scopes) => {
        const headers = { authorization: `Bearer ${accessToken}` };
        return (await ask(201, 'POST', '/v1/api-keys', { headers, body: { name: 'bench', scopes } })).key;
      },
      startGateway: (port, upstream) => {
        const environment = serviceEnvironment('gateway', {
          name: 'settler',
          secrets,
          postgres: { host: '127.0.0.1', port: 0 },
          brokerUrl: () => '',
          ports: { ...ports, gateway: port },
          ownPorts: [],
          settings: { RATE_LIMIT_DEFAULT: noLimit, JOBS_URL: upstream, EXECUTIONS_URL: upstream, PUBLIC_URL: url },
        });
        const args = ['--conditions=@settler/source', inCheckout('services/gateway/src/main.ts')];
        return startServer({
          name: 'gateway',
          core: cores.server,
          port,
          command: process.execPath,
          args,
          environment: { ...memoryGoesBack, ...environment },
          readyPath: '/health/ready',
        });
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
};
