/**
 * Results of a run in their order, which is that of their positions, narrowed by what people ask for. What is rare among millions is found
 * by the digests: where one says that it cannot be, nobody looks. Where there is none, as in a place that a match by hand has changed,
 * everybody does.
 */
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { ResultFilter } from '../../application/queries.ts';
import { containing } from './containing.ts';
import { bitsOf } from './result-digest.ts';
import type { Database } from './tables.ts';

type Trx = Transaction<Database>;
type Row = Selectable<Database['results']>;
type Run = Pick<Selectable<Database['executions']>, 'id' | 'created_at'>;

interface Span {
  readonly first: number;
  readonly last: number;
}

const lastOfAll = 2 ** 31 - 1;
/** Spans that are looked at together: few at first, because most searches find at once what they show. */
const spansFirst = 4;
const spansMax = 64;

/** At most `limit`, behind the position `after`. */
export const findResults = async (trx: Trx, run: Run, filter: ResultFilter, after: number, limit: number): Promise<Row[]> => {
  const found: Row[] = [];
  const spans = await spansOf(trx, run, filter, after);
  for (
    let from = 0, count = spansFirst;
    from < spans.length && found.length < limit;
    from += count, count = Math.min(spansMax, count * 4)
  ) {
    found.push(...(await readSpans(trx, run, filter, spans.slice(from, from + count), limit - found.length)));
  }
  return found;
};

const readSpans = async (trx: Trx, run: Run, filter: ResultFilter, spans: readonly Span[], limit: number): Promise<readonly Row[]> => {
  const { rows } = await sql<Row>`
    select found.*
      from unnest(${spans.map(({ first }) => first)}::int[], ${spans.map(({ last }) => last)}::int[]) as span(first, last)
     cross join lateral (
       select * from results
        where execution_id = ${run.id} and created_at = ${run.created_at} and position between span.first and span.last
          and ${sql.join([sql`true`, ...conditionsOf(filter)], sql` and `)}
        order by position limit ${limit}) as found
     order by found.position limit ${limit}`.execute(trx);
  return rows;
};

const conditionsOf = ({ outcome, pass, q, minAmount }: ResultFilter): RawBuilder<unknown>[] => [
  ...(outcome === undefined ? [] : [sql`outcome = ${outcome}`]),
  ...(pass === undefined ? [] : [sql`pass = ${pass}`]),
  ...(q === undefined ? [] : [sql`search like ${containing(q)}`]),
  ...(minAmount === undefined ? [] : [sql`amount_max >= ${minAmount}::numeric`]),
];

/** Where results that are asked for may be: what no digest excludes, behind `after`. */
const spansOf = async (trx: Trx, { id }: Run, { pass, q, minAmount }: ResultFilter, after: number): Promise<Span[]> => {
  const needed = [
    ...(pass === undefined ? [] : [sql`${pass} = any(passes)`]),
    ...(q === undefined ? [] : conditionsOfText(q)),
    ...(minAmount === undefined ? [] : [sql`coalesce(amount_most, -1) >= ${minAmount}::float8`]),
  ];
  const { rows: excluded } =
    needed.length === 0
      ? { rows: [] }
      : await sql<Span>`
          select first, last from result_digests
           where execution_id = ${id} and last > ${after} and not (${sql.join(needed, sql` and `)}) order by first`.execute(trx);
  const spans: Span[] = [];
  let first = after + 1;
  for (const gap of [...excluded, { first: lastOfAll, last: lastOfAll }]) {
    if (gap.first > first) spans.push({ first, last: gap.first - 1 });
    first = Math.max(first, gap.last + 1);
  }
  return spans;
};

const conditionsOfText = (q: string): RawBuilder<unknown>[] => {
  const { of, bits } = bitsOf(q.toLowerCase());
  return bits.map((bit) => sql`get_bit(${sql.ref(of)}, ${bit}) = 1`);
};
