/** CSV in every shape that banks and payment providers export it: any delimiter, encoding, decimal separator and date format. */
import { fileId } from '@settler/contracts/ids';
import { z } from 'zod';
import type { AdapterDefinition } from '../definition.ts';
import { fieldMappings, mappedFieldDescriptions } from '../fields/mapping.ts';
import { defaultLimits, ReaderFailure } from '../reader.ts';
import { isEncoding } from './decode.ts';
import { csvParser } from './parser.ts';

const content = z
  .string()
  .max(32 * 1024 * 1024)
  .refine((text) => text.isWellFormed(), 'must not contain unpaired surrogates')
  .describe('The CSV itself, up to 32 MiB, instead of a file.');

// The splitter reads bytes, so a delimiter is one byte; letters, digits, quotes and line ends would eat the cells.
const delimiter = z
  .string()
  .regex(/^[\t !#-/:-@[-`{-~]$/, 'must be one character of ASCII, and no letter, digit or quote')
  .describe('Found by the header when absent: comma, semicolon, tab or bar.');

const encoding = z
  .string()
  .max(40)
  .refine(isEncoding, 'must be the name of a text encoding, such as "utf-8" or "windows-1252"')
  .describe('A byte order mark decides first. When both are absent: UTF-8, or windows-1252 where the bytes are no UTF-8.');

const schema = z.strictObject({
  fileId: fileId.optional().describe('A file that was uploaded before. At most one of the two; a run may supply its file.'),
  content: content.optional(),
  delimiter: delimiter.optional(),
  encoding: encoding.optional(),
  skipRows: z.number().int().min(0).max(1000).describe('Physical lines above the header.').optional(),
  trailerRows: z.number().int().min(0).max(100).describe('Rows at the end that are not records, such as totals.').optional(),
  fields: fieldMappings,
});

export type CsvConfig = z.infer<typeof schema>;

/** The rows of one block are let go before the next is read. */
const blockBytes = 128 * 1024;

/** Inline content answers at once: what would end a run as a whole is a fault of the configuration. Rows that cannot be read are the run's to report. */
const contentFault = (config: CsvConfig): ReaderFailure | undefined => {
  if (config.content === undefined) return undefined;
  try {
    const parser = csvParser(config, defaultLimits);
    const bytes = Buffer.from(config.content.replace(/^\ufeff/, ''), 'utf8');
    for (let from = 0; from < bytes.length; from += blockBytes) {
      parser.push(bytes.subarray(from, from + blockBytes));
      parser.rows.length = 0;
    }
    parser.finish();
    return undefined;
  } catch (error) {
    if (error instanceof ReaderFailure) return error;
    throw error;
  }
};

export const csv: AdapterDefinition<CsvConfig> = {
  name: 'csv',
  title: 'CSV file',
  config: schema.superRefine((config, context) => {
    if (config.fileId !== undefined && config.content !== undefined) {
      context.addIssue({ code: 'custom', path: ['content'], message: 'cannot stand beside fileId: the input is one or the other' });
      return;
    }
    const fault = contentFault(config);
    if (fault !== undefined) context.addIssue({ code: 'custom', path: ['content'], message: fault.message });
  }),
  secretFields: [],
  fields: mappedFieldDescriptions,
  overridable: ['fileId'],
  idMapped: ({ fields }) => fields['id'] !== undefined,
};
