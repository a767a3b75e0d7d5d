import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createIsland, type Island } from '@settler/harness';
import fc from 'fast-check';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Category, categoryOf } from '../src/domain/exceptions.ts';
import type { MatchedRecord, MatchedResult } from '../src/domain/matched-result.ts';
import { weigh } from '../src/infrastructure/postgres/exceptions/exception-candidate.ts';
import { draftColumns, moveColumns, resultColumns, rowsOf } from '../src/infrastructure/postgres/results/result-rows.ts';

const run = {
  organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  id: 'exe_01jqv8m0c4e7r9t2w5y8a1b3d6',
  epoch: 3,
  createdAt: new Date('2026-04-01T00:00:00.000Z'),
  carriesForward: true,
  severity: undefined,
};

const texts = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({
    unit: fc.constantFrom('\\', '\\u0000', '\\ud800', '\t', '\n', '\r', '\0', 'N', '.', '"', '\ud800', 'é', '💶'),
    maxLength: 8,
  }),
);
const records = fc.record({
  currency: fc.constantFrom('EUR', ''),
  units: fc.option(fc.integer({ min: -(10 ** 15), max: 10 ** 15 })),
  carried: fc.boolean(),
  openItem: fc.constantFrom(undefined, { identity: 'abc', occurrence: 1 }),
  record: fc.oneof(
    fc.dictionary(texts, texts, { maxKeys: 3 }),
    fc.record(
      { id: texts, amount: fc.constantFrom('-12.50', '100000.00', '7', 'none'), currency: fc.constantFrom('EUR', 'JPY') },
      { requiredKeys: [] },
    ),
  ),
});
const results = fc.record({
  outcome: fc.constantFrom('matched', 'missing_in_target', 'mismatched', 'invalid'),
  pass: fc.option(texts),
  cardinality: fc.constant(null),
  score: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  margin: fc.constant(null),
  delta: fc.constantFrom(null, { amount: '60.00', days: 0 }),
  category: fc.constantFrom(null, 'amount_mismatch'),
  dueOn: fc.constantFrom(undefined, '2026-05-01'),
  reason: fc.option(texts),
  line: fc.option(fc.nat(1_000_000)),
  occurrence: fc.constantFrom(undefined, 1, 2),
  conditions: fc.array(fc.dictionary(fc.constantFrom('source', 'target'), texts), { maxLength: 2 }),
  source: fc.array(records, { minLength: 1, maxLength: 2 }),
  target: fc.array(records, { maxLength: 2 }),
});

/** What no text of PostgreSQL can hold is told as what cannot be told. */
const storable = (text: string): string => text.replaceAll('\0', '\ufffd').toWellFormed();
const told = (value: unknown): unknown => {
  if (typeof value === 'string') return storable(value);
  if (Array.isArray(value)) return value.map(told);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [storable(key), told(item)]));
};

describe('rows for COPY', () => {
  let island: Island;
  let database: pg.Client;

  beforeAll(async () => {
    island = await createIsland();
    await island.provision('executions');
    database = new pg.Client(island.databaseConfig('executions', 'admin'));
    await database.connect();
    await database.query(`select ensure_result_partitions('2026-04-01')`);
  });
  afterAll(async () => {
    await database.end();
    await island.dispose();
  });

  const copied = async (table: string, columns: string, rows: Uint8Array, read: string) => {
    await database.query(`delete from ${table}`);
    await pipeline(Readable.from([Buffer.from(rows)]), database.query(copyFrom(`copy ${table} (${columns}) from stdin`)));
    return (await database.query(`select ${read} from ${table}`)).rows;
  };

  test('come back as what they were made of, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(results, { minLength: 1, maxLength: 5 }), async (generated) => {
        const given = generated as unknown as MatchedResult[];
        const piece = rowsOf(run, given, 7);
        expect(piece.count).toBe(given.length);
        const stored = await copied(
          'results',
          resultColumns,
          piece.results,
          'position::int, outcome, pass, score, reason, line, due_on is not null as waits, exception_id is not null as opens, jsonb_build_array(conditions::jsonb, source::jsonb, target::jsonb)::text as json',
        );
        stored.sort((one, other) => one.position - other.position);
        const recordsOf = (side: readonly MatchedRecord[]) => told(side.map(({ record }) => record));
        // The database compares what is JSON: Node reads some names wrong, and the same wrong name on both sides would be no difference.
        const { rows: wanted } = await database.query('select json::text from jsonb_array_elements($1::jsonb) as json', [
          JSON.stringify(given.map(({ conditions, source, target }) => [told(conditions), recordsOf(source), recordsOf(target)])),
        ]);
        expect(stored).toEqual(
          given.map(({ outcome, pass, score, reason, line, dueOn }, index) => ({
            position: 7 + index,
            outcome,
            line,
            score,
            waits: dueOn !== undefined,
            // What may still come opens nothing.
            opens: outcome !== 'matched' && dueOn === undefined,
            pass: told(pass),
            reason: told(reason),
            json: wanted[index].json,
          })),
        );
        const all = given.flatMap(({ source, target }) => [...source, ...target]);
        expect(piece.sums.reduce((total, { count }) => total + count, 0)).toBe(all.length);
        const sum = (amounts: readonly (bigint | null)[]) => amounts.reduce<bigint>((total, amount) => total + (amount ?? 0n), 0n);
        expect(sum(piece.sums.map(({ amountMinor }) => amountMinor))).toBe(
          sum(all.map(({ units }) => (units === null ? null : BigInt(units)))),
        );
        // What a result opens is the same, whether it is made with the result or of what is stored of it.
        const { rows: inNeed } = await database.query(
          `select position, outcome, category, reason, line, occurrence, delta::jsonb, source::jsonb, target::jsonb, exception_id, id, search
             from results where exception_id is not null order by position`,
        );
        const drafts = await copied('exception_drafts', draftColumns, piece.drafts, '*');
        drafts.sort((one, other) => one.position - other.position);
        expect(drafts).toEqual(
          inNeed.map(({ position, id, exception_id, reason, search, outcome, ...result }) => {
            const category = categoryOf(outcome, result.category) as Category;
            const made = { id: exception_id, result_id: id, position, category, reason, search };
            const records = [...result.source, ...result.target];
            return {
              execution_id: run.id,
              epoch: run.epoch,
              ...made,
              records,
              ...weigh({ outcome, position, ...result }, category, undefined),
            };
          }),
        );
        const moves = await copied('open_item_moves', moveColumns, piece.moves, '*');
        expect(moves).toHaveLength(all.filter(({ openItem }) => openItem !== undefined).length);
      }),
      { numRuns: 60 },
    );
  });
});
