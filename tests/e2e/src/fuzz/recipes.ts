/**
 * A request that may be wrong in any way. It is a recipe and no request yet, because most of them begin as a right one, which is only
 * known once the system has what it names; the same seed makes the same recipes.
 */
import fc from 'fast-check';
import { hostile, hostileText, type Lookup, type Schema, valueFor } from './values.ts';

export interface Described {
  readonly operationId: string;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema; readonly $ref?: string }[];
  readonly requestBody?: { readonly content?: Readonly<Record<string, { readonly schema?: Schema }>> };
}

/** Of a body: at the place that `at` happens to be, counted through all of it. */
export interface Change {
  readonly kind: 'replace' | 'remove' | 'add';
  readonly at: number;
  readonly value: unknown;
}

export interface Recipe {
  readonly operationId: string;
  /** Whether it begins as the right request of its route, or is made of its description alone. */
  readonly beginsRight: boolean;
  readonly body: unknown;
  readonly changes: readonly Change[];
  /** In place of the ids of the path, in their order; null leaves one as it is. */
  readonly ids: readonly (string | null)[];
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly who: 'key' | 'user' | 'anonymous';
}

const change: fc.Arbitrary<Change> = fc.record({
  kind: fc.constantFrom<Change['kind']>('replace', 'replace', 'replace', 'remove', 'add'),
  at: fc.nat(10_000),
  value: hostile,
});

/** A header's value, as far as any client can send it. */
const headerText = fc.oneof(
  fc.constantFrom('', '*', '"', 'W/"1"', '"1"', '"1", "2"', 'x'.repeat(300), '-1', '1e2', 'text/html;q=0.1', 'gzip'),
  fc.string({ unit: fc.integer({ min: 33, max: 126 }).map((code) => String.fromCharCode(code)), maxLength: 30 }),
);
const headers = fc.dictionary(
  fc.constantFrom(
    'idempotency-key',
    'if-match',
    'if-none-match',
    'last-event-id',
    'accept',
    'prefer',
    'traceparent',
    'x-request-id',
    'range',
  ),
  headerText,
  { maxKeys: 2 },
);

export const recipesOf = (operation: Described, lookup: Lookup): fc.Arbitrary<Recipe> => {
  const { operationId, parameters = [], requestBody } = operation;
  const schema = requestBody?.content?.['application/json']?.schema;
  const inQuery = parameters.flatMap((parameter) => (parameter.in === 'query' ? [parameter] : []));
  const texts = Object.fromEntries(
    inQuery.map(({ name, schema: part = {} }) => [
      name,
      valueFor(part, lookup).map((value) => (typeof value === 'string' ? value : JSON.stringify(value))),
    ]),
  );
  const query = fc
    .tuple(
      fc.record(texts, { requiredKeys: [] }),
      fc.dictionary(fc.constantFrom('limit', 'cursor', 'unknown', 'limit[]'), hostileText, { maxKeys: 1 }),
    )
    .map(([known, others]): Recipe['query'] => ({ ...(known as Recipe['query']), ...others }));
  return fc.record({
    operationId: fc.constant(operationId),
    beginsRight: fc.oneof({ weight: 2, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    body: schema === undefined ? fc.constant(undefined) : valueFor(schema, lookup),
    changes: fc.array(change, { minLength: 1, maxLength: 3 }),
    ids: fc.array(fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: hostileText }), { maxLength: 2 }),
    query: fc.oneof({ weight: 1, arbitrary: fc.constant<Recipe['query']>({}) }, { weight: 2, arbitrary: query }),
    headers,
    who: fc.constantFrom<Recipe['who']>('key', 'key', 'key', 'key', 'user', 'user', 'anonymous'),
  });
};

/** The value with all changes made. The value itself stays as it is. */
export const changed = (value: unknown, changes: readonly Change[]): unknown => changes.reduce(changedOnce, structuredClone(value));

type Holder = Record<string | number, unknown>;

const changedOnce = (value: unknown, { kind, at, value: other }: Change): unknown => {
  const places: (readonly [Holder, string | number])[] = [];
  const visit = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const key of Object.keys(part)) {
      places.push([part as Holder, key]);
      visit((part as Holder)[key]);
    }
  };
  visit(value);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return kind === 'remove' ? value : other;
  const [holder, key] = place;
  if (kind === 'replace') holder[key] = other;
  else if (kind === 'remove') delete holder[key];
  else
    Object.defineProperty(holder, Array.isArray(holder) ? holder.length : 'addedByNobody', {
      value: other,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  return value;
};
