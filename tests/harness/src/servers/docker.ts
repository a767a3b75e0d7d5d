/** Whether containers can be had right now: a daemon answers and the images are there. Nothing is ever pulled, because tests need no network. */
import { request } from 'node:http';

export const postgresImage = 'postgres:18';
export const natsImage = 'nats:2.14';

const answerTimeoutMs = 1_000;

/** `DOCKER_HOST` as Docker's own tools read it, as far as tests go: a socket or plain TCP. */
const daemonAt = (address: string): { readonly socketPath: string } | { readonly host: string; readonly port: number } | undefined => {
  if (!URL.canParse(address)) return undefined;
  const { protocol, pathname, hostname, port } = new URL(address);
  if (protocol === 'unix:') return { socketPath: pathname };
  return protocol === 'tcp:' ? { host: hostname, port: Number(port || 2375) } : undefined;
};

const hasImage = (daemon: NonNullable<ReturnType<typeof daemonAt>>, image: string): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request(
      { ...daemon, path: `/images/${encodeURIComponent(image)}/json`, timeout: answerTimeoutMs, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(false));
    sent.once('close', () => resolve(false));
    sent.end();
  });

export const hasContainers = async (): Promise<boolean> => {
  const daemon = daemonAt(process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock');
  if (daemon === undefined) return false;
  return (await hasImage(daemon, postgresImage)) && (await hasImage(daemon, natsImage));
};
