/** What the two ways of starting the servers have in common. */
import type { ServerAddresses } from './addresses.ts';

export interface ServersWanted {
  /** Of PostgreSQL's superuser. */
  readonly password: string;
  readonly brokerConfiguration: string;
  readonly runDirectory: string;
  readonly firstPort: number;
}

export interface Servers extends Pick<ServerAddresses, 'kind' | 'postgres' | 'broker'> {
  readonly stop: () => Promise<void>;
}
