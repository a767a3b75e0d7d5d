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

declare module '@skyra/jaro-winkler' {
  export const jaroWinkler: (one: string, other: string) => number;
}

declare module 'fastest-levenshtein' {
  export const distance: (one: string, other: string) => number;
}
