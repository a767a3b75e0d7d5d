/**
 * Results of a run in their order, which is that of their positions, narrowed by what people ask for. Their order is the only index they
 * have; what is rare among millions is found by the digests: where one says that it cannot be, nobody looks. Where there is none, as in
 * a place that a match by hand has changed, everybody does.
 */
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { ResultFilter } from '../../../application/queries.ts';
import type { Delta } from '../../../domain/matching/results/result.ts';
import { type Side, sides } from '../../../domain/side.ts';
import { containing } from '../containing.ts';
import { oneAhead } from '../one-ahead.ts';
import type { Database } from '../tables.ts';
import { bitsOf, digestedMax } from './result-digest.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['results']>;

/** What a result says. What it is found by besides, nobody reads, and it is half of what a page would have to bring. */
const foundColumns = [
  ...(['id', 'outcome', 'source', 'target', 'pass', 'cardinality', 'score', 'margin', 'delta', 'conditions'] as const),
  ...(['category', 'reason', 'line', 'due_on', 'exception_id', 'manual', 'runner_up', 'position', 'occurrence'] as const),
] satisfies readonly (keyof Row)[];

/** With its JSON as it is stored. */
export type ResultTexts = Pick<Row, (typeof foundColumns)[number]>;

/** What the JSON says. */
export interface Told {
  readonly source: readonly unknown[];
  readonly target: readonly unknown[];
  readonly conditions: readonly unknown[];
  readonly delta: Delta | null;
}
export type FoundResult = Omit<ResultTexts, keyof Told> & Told;

/** A column that is JSON, read as what it says. */
export const told = <Name extends keyof Told>(column: Name) => sql<Told[Name]>`${sql.ref(column)}::json`.as(column);

type Column = RawBuilder<unknown>;
const asTexts: readonly Column[] = foundColumns.map((column) => sql.ref(column));
const toldColumns: readonly string[] = ['source', 'target', 'conditions', 'delta'] satisfies (keyof Told)[];
const isTold = (column: string): column is keyof Told => toldColumns.includes(column);
const asValues: readonly Column[] = foundColumns.map((column) => (isTold(column) ? sql`${told(column)}` : sql.ref(column)));
type Run = Pick<Selectable<Database['executions']>, 'id' | 'created_at'>;

/** What results are asked for, and what a digest must say where there may be one; absent, where no digest tells. */
export interface Sought {
  readonly result: RawBuilder<unknown>;
  readonly digest?: RawBuilder<unknown>;
}

export const soughtBy = ({ outcome, pass, q, minAmount }: ResultFilter): Sought[] => [
  ...(outcome === undefined ? [] : [{ result: sql`outcome = ${outcome}`, digest: sql`${outcome} = any(outcomes)` }]),
  ...(pass === undefined ? [] : [{ result: sql`pass = ${pass}`, digest: sql`${pass} = any(passes)` }]),
  ...(q === undefined ? [] : [{ result: sql`search like ${containing(q)}`, digest: hasText(q) }]),
  ...(minAmount === undefined
    ? []
    : [{ result: sql`amount_max >= ${minAmount}::numeric`, digest: sql`coalesce(amount_most, -1) >= ${minAmount}::float8` }]),
];

/** Results of these ids of their own. */
export const soughtByIds = (ids: readonly string[]): Sought => ({
  result: sql`id = any(${[...ids]}::text[])`,
  digest: sql`exists (select 1 from unnest(${[...ids]}::text[]) as wanted(id) where wanted.id collate "C" between id_least and id_most)`,
});

/** A record that says at least what one of these says, on this side. */
export const holdsOneOf = (side: Side, records: readonly object[]): RawBuilder<unknown> =>
  sql`${sql.ref(side)}::jsonb @> any(${records.map((record) => JSON.stringify([record]))}::text[]::jsonb[])`;

/** Of more texts each digest would be read more often than the results are. */
const namesMax = 8;

/** Results with a record that is called so, on a side or on either. A digest that knows no ids of results may lack some of records too. */
export const soughtByRecordIds = (ids: readonly string[], wanted: readonly Side[] = sides): Sought => {
  const named = ids.map((id) => ({ id }));
  const result = anyOf(wanted.map((side) => holdsOneOf(side, named)));
  return ids.length > namesMax ? { result } : { result, digest: sql`(id_least is null or ${anyOf(ids.map(hasText))})` };
};

export const eitherOf = (one: Sought, other: Sought): Sought => ({
  result: sql`(${one.result} or ${other.result})`,
  ...(one.digest === undefined || other.digest === undefined ? {} : { digest: sql`(${one.digest} or ${other.digest})` }),
});

const allOf = (conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> =>
  sql`(${sql.join([sql`true`, ...conditions], sql` and `)})`;
const anyOf = (conditions: readonly RawBuilder<unknown>[]): RawBuilder<unknown> =>
  sql`(${sql.join([sql`false`, ...conditions], sql` or `)})`;

const hasText = (text: string): RawBuilder<unknown> => {
  const { of, bits } = bitsOf(text.toLowerCase());
  return allOf(bits.map((bit) => sql`get_bit(${sql.ref(of)}, ${bit}) = 1`));
};

interface Span {
  readonly first: number;
  readonly last: number;
}

interface Stretch {
  readonly after: number;
  readonly until: number;
}

/** No result stands behind it; what is behind that is still a number of the database. */
export const lastPosition = 2 ** 31 - 2;
/** Few at first, because most searches find at once what they show. */
const spansFirst = 4;
const spansMax = 64;
const positionsFirst = 16 * digestedMax;
const positionsMax = 256 * digestedMax;

/** Where digests are asked together: who has found nothing for long most likely goes to the end. */
export const stretchesBehind = function* (after: number): Generator<Stretch> {
  for (let from = after, ahead = positionsFirst; from < lastPosition; ahead *= 16) {
    const until = ahead > positionsMax ? lastPosition : Math.min(lastPosition, from + ahead);
    yield { after: from, until };
    from = until;
  }
};

interface Wanted {
  readonly after?: number;
  readonly limit: number;
}

/** At most `limit`, behind the position `after`. */
export const findResults = (trx: Trx, run: Run, sought: readonly Sought[], wanted: Wanted): Promise<readonly FoundResult[]> =>
  find(trx, run, sought, wanted, asValues);

export const findResultTexts = (trx: Trx, run: Run, sought: readonly Sought[], wanted: Wanted): Promise<readonly ResultTexts[]> =>
  find(trx, run, sought, wanted, asTexts);

const find = async <Found>(
  trx: Trx,
  run: Run,
  sought: readonly Sought[],
  { after = -1, limit }: Wanted,
  columns: readonly Column[],
): Promise<readonly Found[]> => {
  // Then no digest is asked, and this is one statement.
  if (sought.length === 0) return readSpans(trx, run, sought, [{ first: after + 1, last: lastPosition }], limit, columns);
  const found: Found[] = [];
  for (const stretch of digestsOf(sought).length > 0 ? stretchesBehind(after) : [{ after, until: lastPosition }]) {
    const spans = await spansOf(trx, run, sought, stretch);
    for (let at = 0, count = spansFirst; at < spans.length && found.length < limit; at += count, count = Math.min(spansMax, count * 4)) {
      found.push(...(await readSpans<Found>(trx, run, sought, spans.slice(at, at + count), limit - found.length, columns)));
    }
    if (found.length === limit) break;
  }
  return found;
};

/** All of them, in pieces of at most `limit`. */
export const findAll = (
  trx: Trx,
  run: Run,
  sought: readonly Sought[],
  limit: number,
): AsyncGenerator<readonly FoundResult[], void, undefined> => oneAhead(piecesOf(trx, run, sought, limit));

const piecesOf = async function* (
  trx: Trx,
  run: Run,
  sought: readonly Sought[],
  limit: number,
): AsyncGenerator<readonly FoundResult[], void, undefined> {
  let spans = await spansOf(trx, run, sought, { after: -1, until: lastPosition });
  while (spans.length > 0) {
    const found = await readSpans<FoundResult>(trx, run, sought, spans.slice(0, limit), limit, asValues);
    const last = found.length < limit ? undefined : found.at(-1);
    spans = last === undefined ? spans.slice(limit) : behind(spans, last.position);
    if (found.length > 0) yield found;
  }
};

const behind = (spans: readonly Span[], position: number): Span[] =>
  spans.flatMap(({ first, last }) => (last <= position ? [] : [{ first: Math.max(first, position + 1), last }]));

const readSpans = async <Found>(
  trx: Trx,
  run: Run,
  sought: readonly Sought[],
  spans: readonly Span[],
  limit: number,
  columns: readonly Column[],
): Promise<readonly Found[]> => {
  const within = (first: RawBuilder<unknown>, last: RawBuilder<unknown>) => sql`
    select ${sql.join(columns)} from results
     where execution_id = ${run.id} and created_at = ${run.created_at} and position between ${first} and ${last}
       and ${allOf(sought.map(({ result }) => result))}
     order by position limit ${limit}`;
  const [span] = spans;
  const query =
    span !== undefined && spans.length === 1
      ? within(sql`${span.first}`, sql`${span.last}`)
      : sql`
        /* planned once */ select found.*
          from unnest(${spans.map(({ first }) => first)}::int[], ${spans.map(({ last }) => last)}::int[]) as span(first, last)
         cross join lateral (${within(sql`span.first`, sql`span.last`)}) as found
         order by found.position limit ${limit}`;
  const { rows } = await (query as RawBuilder<Found>).execute(trx);
  return rows;
};

const digestsOf = (sought: readonly Sought[]): RawBuilder<unknown>[] => sought.flatMap(({ digest }) => digest ?? []);

/** Where results that are asked for may be: what no digest excludes, behind `after` and up to `until`. */
const spansOf = async (trx: Trx, { id }: Run, sought: readonly Sought[], { after, until }: Stretch): Promise<readonly Span[]> => {
  const needed = digestsOf(sought);
  if (needed.length === 0) return [{ first: after + 1, last: until }];
  // What nobody has to look at is nearly everything, in thousands of pieces: only what lies between is told.
  const { rows } = await sql<Span>`
    select last + 1 as first, next - 1 as last
      from (select last, lead(first, 1, ${until + 1}::int) over (order by last) as next
              from (select first, last from result_digests
                     where execution_id = ${id} and last > ${after} and first between ${after - digestedMax} and ${until} and not ${allOf(needed)}
                    union all select ${after}::int, ${after}::int) as excluded) as piece
     where next > last + 1 order by last`.execute(trx);
  return rows;
};
