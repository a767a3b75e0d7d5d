/** The `fields` of a configuration: which column feeds which field, and how it is written. Part of every file adapter's schema. */
import { messageOf } from '@settler/contracts/problems';
import { z } from 'zod';
import type { FieldDescription } from '../definition.ts';
import { readAmount, readCurrency } from './amount.ts';
import { dateReader } from './date.ts';
import { compileDateFormat } from './date-format.ts';
import { isTimeZone } from './day.ts';
import { isStorable, type Unreadable } from './unreadable.ts';

export type FieldKind = 'id' | 'text' | 'currency' | 'amount' | 'date' | 'any';

/** The fields with a meaning of their own; a record may have any other beside them. */
export const knownFields = {
  id: { kind: 'id', description: "The record's identity at its source. Required where it is mapped." },
  amount: { kind: 'amount', description: 'A decimal string; negative for a refund. Required where it is mapped.' },
  currency: { kind: 'currency', description: 'ISO 4217, in whichever case; kept in capitals.' },
  date: { kind: 'date', description: 'An ISO day, or a moment, which counts on its day in UTC.' },
  reference: { kind: 'text', description: 'What both sides call the business case: an order, invoice or payment number.' },
  counterparty: { kind: 'text', description: 'Who is on the other end.' },
  description: { kind: 'text', description: 'Free text.' },
  type: { kind: 'text', description: "The source's own kind of record: charge, refund, fee." },
  fee: { kind: 'amount', description: 'What was deducted, as a decimal string.' },
  net: { kind: 'amount', description: 'What remained, as a decimal string.' },
} as const satisfies Record<string, { kind: FieldKind; description: string }>;

const kinds: Readonly<Record<string, { readonly kind: FieldKind }>> = knownFields;
export const kindOf = (field: string): FieldKind => (Object.hasOwn(kinds, field) ? (kinds[field]?.kind ?? 'any') : 'any');

export const mappedFieldDescriptions: readonly FieldDescription[] = Object.entries(knownFields).map(([name, { description }]) => ({
  name,
  description,
  required: false,
}));

const unstorable = 'must not contain NUL characters or unpaired surrogates';
const text = z.string().min(1, 'must not be empty').max(500).refine(isStorable, unstorable);
const column = text.describe('A column of the input, by its name.');
const decimal = z.enum(['.', ',']).describe('The decimal separator; the other one then groups digits.').optional();

const format = z
  .string()
  .max(60)
  .superRefine((value, context) => {
    const compiled = compileDateFormat(value);
    if ('problem' in compiled)
      context.addIssue({ code: 'custom', message: `the date format ${JSON.stringify(value)} ${compiled.problem}` });
  })
  .describe('Unicode date tokens, such as dd/MM/yyyy.');
const timezone = z
  .string()
  .max(64)
  .refine(isTimeZone, 'must be a time zone such as "Europe/Berlin"')
  .describe('Where a moment becomes a day; UTC without it.');

const forms = {
  column: z.strictObject({ column }),
  number: z.strictObject({
    column,
    decimal,
    negate: z.boolean().describe('Turns the sign, for a side that books the other way.').optional(),
  }),
  debitCredit: z.strictObject({ debit: column, credit: column, decimal }),
  date: z.strictObject({ column, format: format.optional(), timezone: timezone.optional() }),
  constant: z.strictObject({ value: text.describe('The same in every record, such as the currency of an account.') }),
};
type Form = keyof typeof forms;

const formsOf: Readonly<Record<FieldKind, readonly Form[]>> = {
  // No constant: it would make one record of all.
  id: ['column'],
  text: ['column', 'constant'],
  currency: ['column', 'constant'],
  amount: ['number', 'debitCredit', 'constant'],
  date: ['date', 'constant'],
  any: ['number', 'date', 'debitCredit', 'constant'],
};

export type FieldMapping = string | z.infer<(typeof forms)[Form]>;
export type FieldMappings = { readonly [field: string]: FieldMapping | undefined };

/** The form that a mapping is written in, told by the keys that only this form has, so that its faults can be named one by one. */
const formOf = (kind: FieldKind, mapping: object): Form => {
  if ('value' in mapping) return 'constant';
  if ('debit' in mapping || 'credit' in mapping) return 'debitCredit';
  if ('format' in mapping || 'timezone' in mapping || kind === 'date') return 'date';
  return kind === 'amount' || kind === 'any' || 'decimal' in mapping || 'negate' in mapping ? 'number' : 'column';
};

const refusals: Readonly<Record<Form, string>> = {
  column: 'cannot be a column',
  number: 'is not a number: decimal and negate have no meaning for it',
  debitCredit: 'is not an amount: it has no debit and credit column',
  date: 'is not a date: format and timezone have no meaning for it',
  constant: 'cannot be the same for every record',
};

const constantFault = (kind: FieldKind, value: string): Unreadable | undefined => {
  const read =
    kind === 'amount'
      ? readAmount(value)
      : kind === 'currency'
        ? readCurrency(value)
        : kind === 'date'
          ? dateReader({ isMapped: false })(value)
          : value;
  return typeof read === 'string' ? undefined : read;
};

type Fault = { readonly path: PropertyKey[]; readonly message: string };

const faultsOf = (kind: FieldKind, mapping: unknown): Fault[] => {
  if (typeof mapping === 'string') return text.safeParse(mapping).error?.issues ?? [];
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping)) {
    return [{ path: [], message: "must be a column's name or an object with one" }];
  }
  const form = formOf(kind, mapping);
  if (!formsOf[kind].includes(form)) return [{ path: [], message: refusals[form] }];
  const parsed = forms[form].safeParse(mapping, { reportInput: true });
  if (parsed.error) {
    return parsed.error.issues.flatMap((issue): Fault[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: [...issue.path, key],
            message: `does not go with ${Object.keys(forms[form].shape).join(', ')}`,
          }))
        : [{ path: issue.path, message: messageOf(issue) }],
    );
  }
  const fault = 'value' in parsed.data ? constantFault(kind, parsed.data.value) : undefined;
  return fault === undefined ? [] : [{ path: ['value'], message: fault.reason }];
};

// A union would answer "invalid input" for all of its forms; a schema that picks the form can say which key is wrong and why.
const fieldMapping = (kind: FieldKind) => {
  const { $schema, ...schema } = z.toJSONSchema(z.union([column, ...formsOf[kind].map((form) => forms[form])]), { io: 'input' });
  return z
    .custom<FieldMapping>()
    .superRefine((mapping, context) => {
      for (const { path, message } of faultsOf(kind, mapping)) context.issues.push({ code: 'custom', path, message, input: mapping });
    })
    .meta(schema);
};

/** Not a field's name: assigning to it changes an object's prototype instead. */
export const reservedName = '__proto__';

const fieldName = z.string().min(1, 'a field needs a name').max(200).refine(isStorable, unstorable);

const known = Object.fromEntries(Object.entries(knownFields).map(([field, { kind }]) => [field, fieldMapping(kind).optional()]));
const other = fieldMapping('any');

export const fieldMappings: z.ZodType<FieldMappings> = z
  .object(known, 'must be an object that maps our fields to columns')
  .catchall(other)
  .superRefine((mappings, context) => {
    const names = Object.keys(mappings);
    if (names.length > 500) context.addIssue({ code: 'custom', message: 'must not map more than 500 fields' });
    for (const name of names) {
      const fault = fieldName.safeParse(name).error?.issues[0];
      if (fault !== undefined) context.addIssue({ code: 'custom', path: [name], message: fault.message });
    }
  })
  .meta({ description: 'Our field to a column of the input. Columns that no field names stay reachable under their own name.' });
