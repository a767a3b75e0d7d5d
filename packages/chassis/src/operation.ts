/** One command of an operator. */
import type { EncryptionKey } from './config.ts';
import type { Postgres } from './postgres.ts';
import type { ChassisTables } from './tables.ts';

/** The operator asked for something that cannot be done as it was asked. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Values of options, as they were typed; an option that was not given is absent. */
export type Options = Readonly<Record<string, string | boolean | undefined>>;

export interface Operation {
  /** As typed: `dead-letters replay`. */
  readonly command: string;
  readonly does: string;
  /** What one word behind the command names; `run` finds it among the options by this name. */
  readonly argument?: string;
  /** By name: what it means, and the placeholder of its value; a switch has none. */
  readonly options: Readonly<Record<string, { readonly means: string; readonly value?: string }>>;
  /** @throws UsageError */
  readonly run: (
    at: {
      readonly postgres: Postgres<ChassisTables>;
      readonly print: (line: string) => void;
      /** @throws ConfigurationError */
      readonly encryptionKeys: () => readonly EncryptionKey[];
    },
    options: Options,
  ) => Promise<void>;
}
