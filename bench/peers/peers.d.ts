// The parts of the peers that are used here, so that types are checked where nobody has installed the peers.

declare module '@duckdb/node-api' {
  export interface DuckDBConnection {
    readonly run: (sql: string) => Promise<unknown>;
    readonly runAndReadAll: (sql: string) => Promise<{ readonly getRows: () => unknown[][] }>;
    readonly createAppender: (table: string) => Promise<DuckDBAppender>;
  }
  export interface DuckDBAppender {
    readonly appendVarchar: (text: string) => void;
    readonly endRow: () => void;
    readonly closeSync: () => void;
  }
  export const DuckDBInstance: {
    readonly create: (
      path: string,
      options: Readonly<Record<string, string>>,
    ) => Promise<{ readonly connect: () => Promise<DuckDBConnection> }>;
  };
}

declare module '@fastify/http-proxy' {
  const proxy: unique symbol;
  export default proxy;
}

declare module '@skyra/jaro-winkler' {
  export const jaroWinkler: (one: string, other: string) => number;
}

declare module 'fastest-levenshtein' {
  export const distance: (one: string, other: string) => number;
}

declare module 'autocannon' {
  interface Result {
    readonly '2xx': number;
    readonly non2xx: number;
    readonly errors: number;
    readonly timeouts: number;
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number };
  }
  type Requests = readonly { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: string }[];
  const autocannon: (options: {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly overallRate?: number;
    readonly requests?: Requests;
    readonly setupClient?: (client: { readonly setRequests: (requests: Requests) => void }) => void;
    readonly headers: Readonly<Record<string, string>>;
  }) => Promise<Result> & {
    readonly on: (event: 'response', listener: (client: object, status: number, bytes: number, ms: number) => void) => void;
  };
  export default autocannon;
}

// Under names of their own: Settler's packages import the same libraries, with all of their types.
declare module 'peer-fastify' {
  const fastify: () => {
    readonly register: (plugin: unknown, options: { readonly upstream: string }) => Promise<unknown>;
    readonly listen: (where: { readonly host: string; readonly port: number }) => Promise<string>;
  };
  export default fastify;
}

declare module 'peer-undici' {
  import type { IncomingMessage } from 'node:http';

  type Headers = Readonly<Record<string, string | undefined>>;
  export class Pool {
    constructor(origin: string, options: { readonly connections: number; readonly pipelining: number });
    dispatch(
      request: { readonly method: string; readonly path: string; readonly headers: Headers; readonly body: IncomingMessage | null },
      handler: {
        readonly onRequestStart: () => void;
        readonly onResponseStart: (controller: unknown, status: number, headers: Headers) => void;
        readonly onResponseData: (controller: unknown, chunk: Uint8Array) => void;
        readonly onResponseEnd: () => void;
        readonly onResponseError: () => void;
      },
    ): boolean;
  }
}

declare module 'peer-pg' {
  export class Client {
    constructor(options: {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    });
    connect(): Promise<void>;
    end(): Promise<void>;
    query(text: string, values?: readonly unknown[]): Promise<{ readonly rows: Record<string, unknown>[] }>;
  }
}

declare module 'pg-boss' {
  export class PgBoss {
    constructor(options: {
      readonly connectionString: string;
      readonly max: number;
      readonly supervise: boolean;
      readonly schedule: boolean;
    });
    start(): Promise<unknown>;
    stop(options: { readonly graceful: boolean }): Promise<void>;
    createQueue(name: string): Promise<void>;
    insert(name: string, jobs: readonly { readonly data: object }[]): Promise<unknown>;
    getDb(): { readonly executeSql: (text: string) => Promise<{ readonly rows: Record<string, unknown>[] }> };
    work(
      name: string,
      options: {
        readonly batchSize: number;
        readonly localConcurrency: number;
        readonly pollingIntervalSeconds: number;
        readonly burstWhenBatchFull: boolean;
      },
      handler: (jobs: readonly unknown[]) => Promise<void>,
    ): Promise<string>;
  }
}

declare module 'graphile-worker' {
  interface Client {
    readonly query: (text: string) => Promise<{ readonly rows: Record<string, unknown>[] }>;
  }
  export class Logger {
    constructor(scoped: () => () => void);
  }
  export const makeWorkerUtils: (options: { readonly connectionString: string; readonly logger: Logger }) => Promise<{
    readonly migrate: () => Promise<void>;
    readonly addJobs: (jobs: readonly { readonly identifier: string; readonly payload: object }[]) => Promise<unknown>;
    readonly withPgClient: <Result>(work: (client: Client) => Promise<Result>) => Promise<Result>;
    readonly release: () => Promise<void>;
  }>;
  export const run: (options: {
    readonly preset: {
      readonly worker: {
        readonly connectionString: string;
        readonly concurrentJobs: number;
        readonly maxPoolSize: number;
        readonly localQueue: { readonly size: number };
        readonly completeJobBatchDelay: number;
      };
    };
    readonly logger: Logger;
    readonly noHandleSignals: boolean;
    readonly taskList: Readonly<Record<string, () => Promise<void>>>;
  }) => Promise<{ readonly stop: () => Promise<void> }>;
}
