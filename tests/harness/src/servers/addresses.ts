/** What a test file needs to know of the servers that the run started; it crosses from vitest's main process to its workers. */
import type { ServiceSecrets } from '@settler/local/services/secrets';

export interface ServerAddresses {
  readonly kind: 'embedded' | 'containers';
  readonly postgres: { readonly host: string; readonly port: number; readonly user: string; readonly password: string };
  readonly broker: { readonly host: string; readonly port: number };
  /** The same for every test file: what sets them apart is their databases and broker accounts, not their secrets. */
  readonly secrets: ServiceSecrets;
  readonly brokerAdminPassword: string;
  /** Where to begin looking for free ports, different for every run on this machine. */
  readonly firstPort: number;
  /** Processes that tests start are noted there, so that what a test leaves behind is ended with the run. */
  readonly runDirectory: string;
}

/** How many JetStream accounts there are, a0 and up. A test file's account is its number modulo this. */
export const accountCount = 96;

/** Hands every test file of the run its number. */
export const islandSequence = 'settler_test_islands';

declare module 'vitest' {
  interface ProvidedContext {
    settlerServers: ServerAddresses;
  }
}
