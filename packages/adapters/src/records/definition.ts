/** Records that come with the request itself: tests, small ledgers, and systems that hold their own records. */
import { z } from 'zod';
import type { AdapterDefinition } from '../definition.ts';
import { fieldMappings, knownFields, mappedFieldDescriptions } from '../fields/mapping.ts';
import { type RecordFault, recordReader, type SourceRecord } from './record.ts';

const isRecord = (value: unknown): value is SourceRecord => typeof value === 'object' && value !== null && !Array.isArray(value);

// Not z.record(), which copies every record and silently leaves a key out; what the schema accepts is what is stored. Nor is it looked
// at here: a schema names every fault, and a million of them kept a service busy for seconds.
const record = z.custom<SourceRecord>().meta({
  type: 'object',
  properties: Object.fromEntries(Object.entries(knownFields).map(([field, { description }]) => [field, { type: 'string', description }])),
  additionalProperties: true,
});

const schema = z.strictObject({
  records: z.array(record).max(1_000_000).describe('May be left out of a job whose runs supply theirs.').optional(),
  fields: fieldMappings.optional(),
});

const notAnObject: RecordFault = { path: [], reason: 'must be an object' };

export type RecordsConfig = z.infer<typeof schema>;

/** Enough to mend a caller's mistake by; a list of a million faults is no answer. */
const faultsMax = 100;

export const idMapped = ({ records = [], fields = {} }: RecordsConfig): boolean =>
  fields['id'] !== undefined || records.some((record) => isRecord(record) && (record['id'] ?? null) !== null);

export const records: AdapterDefinition<RecordsConfig> = {
  name: 'records',
  title: 'Inline records',
  // Inline content answers at once: a record that cannot be read is a fault of the request, not an outcome of the run.
  config: schema.superRefine((config, context) => {
    const read = recordReader(config.fields ?? {}, idMapped(config));
    let faults = 0;
    for (const [index, source] of (config.records ?? []).entries()) {
      const fault = isRecord(source) ? read(source).fault : notAnObject;
      if (fault === undefined) continue;
      context.addIssue({ code: 'custom', path: ['records', index, ...fault.path], message: fault.reason });
      if (++faults === faultsMax) return;
    }
  }),
  secretFields: [],
  fields: mappedFieldDescriptions,
  overridable: ['records'],
  idMapped,
};
