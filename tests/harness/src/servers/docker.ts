/** What the tests ask of a Docker daemon. Nothing is ever pulled, because tests need no network. */
import { request } from 'node:http';

export const postgresImage = 'postgres:18';
export const natsImage = 'nats:2.14';

const answerTimeoutMs = 1_000;
const workTimeoutMs = 30_000;

type Daemon = { readonly socketPath: string } | { readonly host: string; readonly port: number };

/** `DOCKER_HOST` as Docker's own tools read it, as far as tests go: a socket or plain TCP. */
const daemonAt = (address: string): Daemon | undefined => {
  if (!URL.canParse(address)) return undefined;
  const { protocol, pathname, hostname, port } = new URL(address);
  if (protocol === 'unix:') return { socketPath: pathname };
  return protocol === 'tcp:' ? { host: hostname, port: Number(port || 2375) } : undefined;
};

export interface Docker {
  readonly hasImage: (image: string) => Promise<boolean>;
  /** The containers, running or not, that carry a label, with all the labels of each. */
  readonly containersWith: (label: string) => Promise<{ readonly id: string; readonly labels: Readonly<Record<string, string>> }[]>;
  /** With its volumes, whether it runs or not. */
  readonly removeContainer: (id: string) => Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Undefined where `DOCKER_HOST` names what we cannot speak to. Whether anybody answers there shows at the first question. */
export const dockerOf = (environment: NodeJS.ProcessEnv): Docker | undefined => {
  const daemon = daemonAt(environment['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  if (daemon === undefined) return undefined;
  const ask = (method: string, path: string, timeoutMs: number): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request({ ...daemon, method, path, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text: string) => {
          body += text;
        });
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body })).once('error', reject);
      });
      sent.once('error', reject);
      sent.end();
    });
  return {
    hasImage: async (image) => {
      const answer = await ask('GET', `/images/${encodeURIComponent(image)}/json`, answerTimeoutMs).catch(() => undefined);
      return answer?.status === 200;
    },
    containersWith: async (label) => {
      const { status, body } = await ask(
        'GET',
        `/containers/json?all=true&filters=${encodeURIComponent(JSON.stringify({ label: [label] }))}`,
        workTimeoutMs,
      );
      if (status !== 200) throw new Error(`Docker answered ${status} to a question about containers: ${body}`);
      const containers = JSON.parse(body) as { readonly Id: string; readonly Labels: Readonly<Record<string, string>> }[];
      return containers.map(({ Id, Labels }) => ({ id: Id, labels: Labels }));
    },
    removeContainer: async (id) => {
      const { status, body } = await ask('DELETE', `/containers/${id}?force=true&v=true`, workTimeoutMs);
      // Somebody else's run may be removing it at this moment.
      if (status !== 204 && status !== 404 && status !== 409) throw new Error(`Docker answered ${status} to the removal of ${id}: ${body}`);
    },
  };
};
