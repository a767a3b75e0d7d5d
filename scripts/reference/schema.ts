/** JSON Schema as rows that a person can read. Handles what our own schemas are made of, and refuses what it does not know. */
import { code, table } from './markdown.ts';

export interface JsonSchema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly anyOf?: readonly JsonSchema[];
  readonly allOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly pattern?: string;
  readonly format?: string;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
}

/** Fields of an object inside stand below it, under their path. */
export const fieldTable = (schema: JsonSchema): string => {
  const rows = fieldRows(schema);
  const width = rows.some(([, , notes]) => notes !== '') ? 3 : 2;
  return table(
    ['field', 'type', 'notes'].slice(0, width),
    rows.map((row) => row.slice(0, width)),
  );
};

const fieldRows = (schema: JsonSchema, prefix = ''): string[][] =>
  Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const path = prefix + name;
    const inner = objectIn(field);
    // What an id is of, its prefix says.
    const notes = [
      idPrefix(field) === undefined ? field.description : undefined,
      schema.required?.includes(name) ? undefined : 'may be absent',
    ];
    return [
      [code(path), typeText(field), notes.filter((note) => note !== undefined).join('; ')],
      ...(inner === undefined ? [] : fieldRows(inner.schema, `${path}${inner.suffix}`)),
    ];
  });

const objectIn = (field: JsonSchema): { readonly schema: JsonSchema; readonly suffix: string } | undefined => {
  if (field.properties !== undefined) return { schema: field, suffix: '.' };
  if (typeof field.additionalProperties === 'object' && field.additionalProperties.properties !== undefined)
    return { schema: field.additionalProperties, suffix: '.*.' };
  for (const choice of field.anyOf ?? []) if (choice.properties !== undefined) return { schema: choice, suffix: '.' };
  return field.items?.properties === undefined ? undefined : { schema: field.items, suffix: '[].' };
};

export const typeText = (schema: JsonSchema): string => {
  const { $ref: reference, type, anyOf, allOf, items, additionalProperties } = schema;
  if (reference !== undefined) {
    const name = reference.split('/').at(-1) ?? '';
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (anyOf !== undefined) return anyOf.map(typeText).join(' or ');
  if (schema.const !== undefined) return code(String(schema.const));
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (allOf?.[0] !== undefined) return typeText(allOf[0]);
  if (Array.isArray(type)) return type.map((each: string) => typeText({ ...schema, type: each })).join(' or ');
  switch (type) {
    case 'null':
      return 'null';
    case 'boolean':
      return 'boolean';
    case 'integer':
    case 'number':
      return `${type === 'integer' ? 'whole number' : 'number'}${rangeOf(schema)}`;
    case 'string':
      return stringText(schema);
    case 'array':
      return items === undefined ? 'list' : `list of ${typeText(items)}`;
    case 'object':
      if (schema.properties !== undefined) return 'object';
      return typeof additionalProperties === 'object' && Object.keys(additionalProperties).length > 0
        ? `map${keysOf(schema)} to ${additionalProperties.properties === undefined ? typeText(additionalProperties) : 'objects'}`
        : 'object';
    default:
      throw new Error(`the reference cannot show the schema ${JSON.stringify(schema).slice(0, 200)}`);
  }
};

// Zod writes JavaScript's largest safe integers where a schema says nothing.
const isGiven = (bound: number | undefined): bound is number => bound !== undefined && Math.abs(bound) < Number.MAX_SAFE_INTEGER;

const rangeOf = ({ minimum, exclusiveMinimum, maximum }: JsonSchema): string => {
  const from = isGiven(exclusiveMinimum) ? exclusiveMinimum + 1 : minimum;
  if (isGiven(from) && isGiven(maximum)) return `, ${from}–${maximum}`;
  return isGiven(from) ? `, from ${from}` : '';
};

const idPrefix = ({ pattern }: JsonSchema): string | undefined => /^\^([a-z]{3})_/.exec(pattern ?? '')?.[1];

const stringText = (schema: JsonSchema): string => {
  const { format } = schema;
  const prefix = idPrefix(schema);
  if (prefix !== undefined) return `id, ${code(`${prefix}_…`)}`;
  return (
    { uri: 'URL', 'date-time': 'instant, such as `2026-04-01T09:30:00.000Z`', date: 'day, such as `2026-04-01`' }[format ?? ''] ?? 'text'
  );
};

const keysOf = ({ propertyNames }: JsonSchema): string =>
  propertyNames?.enum === undefined && propertyNames?.$ref === undefined ? '' : ` from ${typeText(propertyNames)}`;
