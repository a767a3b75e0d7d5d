/** Values that a field may be sent: what its schema asks for, what is next to it, and what nobody should send. */
import fc from 'fast-check';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** The schema that a `#/components/schemas/…` names. */
export type Lookup = (reference: string) => Schema;

const deep = (depth: number): unknown => (depth === 0 ? 0 : [deep(depth - 1)]);

const hostileTexts = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\u202e\ufeff',
  "' or 1=1; --",
  '"; drop table jobs; --',
  '{"$ne": null}',
  '<script>alert(1)</script>',
  "=cmd|' /C calc'!A0",
  '$\u007bjndi:ldap://127.0.0.1/a}',
  '../../../../etc/passwd',
  '%00',
  '%2e%2e%2f',
  '%ff',
  '__proto__',
  'constructor',
  'http://169.254.169.254/latest/meta-data',
  'file:///etc/passwd',
  '1e400',
  'NaN',
  '-0',
  '9'.repeat(400),
  '0.1e-9999999',
  '2026-02-30',
  '99999-01-01T00:00:00.000Z',
  '0000-00-00',
  'x'.repeat(20_000),
  '(a+)+$',
  '\r\nx-injected: 1',
  'İıſK',
  '👩‍👩‍👧‍👦'.repeat(50),
] as const;

const hostileNumbers = [-1, 0, -0, 0.1, 1e21, 2 ** 31, 2 ** 53, -(2 ** 63), Number.MAX_VALUE, 1e-320] as const;

export const hostileText = fc.oneof(fc.constantFrom(...hostileTexts), fc.string({ unit: 'binary', maxLength: 40 }));

const hostileObject = fc.constantFrom<unknown>(
  {},
  [],
  { __proto__: 1 },
  JSON.parse('{"__proto__": {"isAdmin": true}, "constructor": {"prototype": {"isAdmin": true}}}'),
  { organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6', role: 'owner' },
  Array.from({ length: 300 }, () => 0),
  deep(60),
);

export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: hostileText },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(...hostileNumbers) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, false) },
  { weight: 2, arbitrary: hostileObject },
);

const formats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  'date-time': fc.date({ min: new Date('1999-01-01'), max: new Date('2031-01-01'), noInvalidDate: true }).map((date) => date.toISOString()),
  date: fc
    .date({ min: new Date('1999-01-01'), max: new Date('2031-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().slice(0, 10)),
  email: fc.emailAddress(),
  uri: fc.webUrl(),
};

const depthMax = 5;

/** Mostly what `schema` allows; one value in eight is something else. */
export const valueFor = (schema: Schema, lookup: Lookup, depth = 0): fc.Arbitrary<unknown> => {
  const right = rightValue(schema, lookup, depth);
  return fc.oneof({ weight: 7, arbitrary: right }, { weight: 1, arbitrary: hostile });
};

const rightValue = (schema: Schema, lookup: Lookup, depth: number): fc.Arbitrary<unknown> => {
  if (depth > depthMax) return fc.constant(null);
  const inside = (part: Schema) => valueFor(part, lookup, depth + 1);
  if (schema.$ref !== undefined) return rightValue(lookup(schema.$ref), lookup, depth);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined && choices.length > 0) return fc.oneof(...choices.map((choice) => rightValue(choice, lookup, depth)));
  // With something said of it beside the reference.
  if (schema.allOf?.[0]?.$ref !== undefined && schema.allOf.length === 1) return rightValue(schema.allOf[0], lookup, depth);
  if (schema.allOf !== undefined) {
    return fc.tuple(...schema.allOf.map((part) => rightValue(part, lookup, depth))).map((parts) => Object.assign({}, ...parts));
  }
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  switch (type) {
    case 'object':
      return objectOf(schema, inside);
    case 'array':
      return schema.prefixItems === undefined
        ? fc.array(inside(schema.items ?? {}), { maxLength: 3 })
        : fc.tuple(...schema.prefixItems.map(inside));
    case 'integer':
    case 'number':
      return fc.integer({ min: Math.max(schema.minimum ?? -1_000, -(2 ** 31)), max: Math.min(schema.maximum ?? 1_000, 2 ** 31 - 1) });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return (
        formats[schema.format ?? ''] ??
        fc.string({ minLength: Math.min(schema.minLength ?? 0, 20), maxLength: Math.min(schema.maxLength ?? 12, 30) })
      );
    default:
      return hostile;
  }
};

const objectOf = ({ properties = {}, required = [], additionalProperties }: Schema, inside: (part: Schema) => fc.Arbitrary<unknown>) => {
  const known = fc.record(Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, inside(part)])), {
    requiredKeys: required.filter((name) => name in properties),
  });
  if (additionalProperties === undefined || additionalProperties === false || Object.keys(properties).length > 0) return known;
  const others = fc.dictionary(fc.string({ maxLength: 8 }), additionalProperties === true ? hostile : inside(additionalProperties), {
    maxKeys: 3,
  });
  return fc.tuple(known, others).map(([own, more]) => ({ ...more, ...own }));
};
