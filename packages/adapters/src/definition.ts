/**
 * What an adapter is to those who only configure it. Nothing here, nor in any `definition.ts`, may import a reader
 * with dependencies of its own: jobs checks and encrypts configurations without ever loading what reads them.
 */
import type { z } from 'zod';

/** A field that records of this adapter can have; `required` ones are on every record that is not `invalid`. */
export type FieldDescription = { readonly name: string; readonly description: string; readonly required: boolean };

/** What a run may supply in place of the input that the job names. */
export type RunInput = 'fileId' | 'records';

/**
 * `secretFields` are dotted paths into the configuration (`auth.token`). The schema is strict and changes nothing: what it
 * accepts is stored as it was sent, so that a job reads back as it was written.
 *
 * `idMapped` tells whether the records of this configuration carry identities of their own; where they do not, identity is
 * content plus occurrence. It is a method, and so accepts a list of adapters with different configurations; call it with
 * what `checkConfig` returned.
 */
export type AdapterDefinition<Config = unknown> = {
  readonly name: string;
  readonly title: string;
  readonly config: z.ZodType<Config>;
  readonly secretFields: readonly string[];
  readonly fields: readonly FieldDescription[];
  readonly overridable: readonly RunInput[];
  idMapped(config: Config): boolean;
};
