/** Every adapter, one line each, and what the services ask of the list. */
import { jsonSchemaOf } from '@settler/contracts/json-schema';
import { messageOf, type ProblemError } from '@settler/contracts/problems';
import { z } from 'zod';
import type { ColumnChunk, ReadColumns } from './columns.ts';
import { csv } from './csv/definition.ts';
import type { AdapterDefinition, FieldDescription, RunInput } from './definition.ts';
import type { Read, ReadChunk, ReadContext } from './reader.ts';
import { records } from './records/definition.ts';

export type Reader = {
  /** Whether the records carry identities of their own (see `AdapterDefinition`). */
  readonly idMapped: boolean;
  readonly read: (context: ReadContext) => AsyncIterable<ReadChunk>;
  /** The same records in columns, for large inputs. Only adapters of such have it. */
  readonly readColumns?: (context: ReadContext) => AsyncIterable<ColumnChunk>;
};

type Adapter = {
  readonly definition: AdapterDefinition;
  readonly open: (config: unknown) => Promise<Reader | readonly ProblemError[]>;
};

type Readers<Config> = { readonly read: Read<Config>; readonly readColumns?: ReadColumns<Config> };

const adapter = <Config>(definition: AdapterDefinition<Config>, loadReader: () => Promise<Readers<Config>>): Adapter => ({
  definition,
  open: async (config) => {
    const parsed = definition.config.safeParse(config, { reportInput: true });
    if (!parsed.success) return problemErrors(parsed.error);
    // Imported by the first read: a service that only checks configurations never loads a reader, nor what it depends on.
    const { read, readColumns } = await loadReader();
    const { data } = parsed;
    return {
      idMapped: definition.idMapped(data),
      read: (context) => read(data, context),
      ...(readColumns && { readColumns: (context: ReadContext) => readColumns(data, context) }),
    };
  },
});

export const adapters: readonly Adapter[] = [
  adapter(csv, () => import('./csv/reader.ts')),
  adapter(records, () => import('./records/reader.ts')),
];

export const catalogue: readonly AdapterDefinition[] = adapters.map(({ definition }) => definition);

export const adapterNamed = (name: string): AdapterDefinition | undefined => catalogue.find((definition) => definition.name === name);

export type CatalogueEntry = {
  readonly name: string;
  readonly title: string;
  readonly configSchema: Record<string, unknown>;
  readonly secretFields: readonly string[];
  readonly fields: readonly FieldDescription[];
};

/** The entry of `GET /v1/adapters`, with the configuration as JSON Schema 2020-12. */
export const catalogueEntry = ({ name, title, config, secretFields, fields }: AdapterDefinition): CatalogueEntry => ({
  name,
  title,
  configSchema: jsonSchemaOf(config),
  secretFields,
  fields,
});

export type CheckedConfig =
  | { readonly ok: true; readonly config: unknown }
  | { readonly ok: false; readonly errors: readonly ProblemError[] };

/** Paths are relative to the configuration (`fields.amount.decimal`, `records[3].amount`), and empty where it is wrong as a whole. */
export const checkConfig = (definition: AdapterDefinition, config: unknown): CheckedConfig => {
  const parsed = definition.config.safeParse(config, { reportInput: true });
  return parsed.success ? { ok: true, config: parsed.data } : { ok: false, errors: problemErrors(parsed.error) };
};

const problemErrors = (error: z.ZodError): ProblemError[] =>
  error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ path: z.core.toDotPath([...issue.path, key]), message: 'is not a known field' }))
      : [{ path: z.core.toDotPath(issue.path), message: messageOf(issue) }],
  );

const inputKeys: readonly string[] = ['fileId', 'content', 'records'];

/**
 * The configuration of one run whose caller supplied the input (`{fileId}` or `{records}`) in place of the job's own.
 * Errors in what was supplied have its path: `fileId`, `records[3].amount`.
 */
export const withRunInput = (
  definition: AdapterDefinition,
  config: object,
  input: { readonly [key in RunInput]?: unknown },
): CheckedConfig => {
  const supplied = Object.entries(input).filter(([, value]) => value !== undefined);
  const [refused] = supplied.filter(([key]) => !definition.overridable.some((name) => name === key));
  if (supplied.length !== 1 || refused !== undefined) {
    const message = `the ${definition.name} adapter takes ${definition.overridable.join(' or ') || 'no input'} at run time`;
    return { ok: false, errors: [{ path: refused?.[0] ?? '', message }] };
  }
  const kept = Object.entries(config).filter(([key]) => !inputKeys.includes(key));
  return checkConfig(definition, Object.fromEntries([...kept, ...supplied]));
};
