import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lastPosition, stretchesBehind } from '../src/infrastructure/postgres/results/find-results.ts';
import { bitsOf, createDigests, digestedMax, lettersOf } from '../src/infrastructure/postgres/results/result-digest.ts';
import { idsBeyond, searchTextOf } from '../src/infrastructure/postgres/results/search-text.ts';
import { type Executions, euro, shareExecutions } from './running-service.ts';

const one = { id: 'res_a', outcome: 'matched', pass: null, amount: null };
const hasBit = (trigrams: Uint8Array, bit: number): boolean => (((trigrams[bit >>> 3] as number) >>> (bit & 7)) & 1) === 1;

describe('a digest of results', () => {
  test('has all bits of whatever stands in one of its texts', () => {
    const unit = fc.constantFrom('a', 'b', 'Z', '0', '9', '-', ' ', 'é', 'İ', '💶', '\ud800', '\0');
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit, maxLength: 12 }), { minLength: 1, maxLength: 5 }),
        fc.nat(),
        fc.nat(),
        (texts, from, length) => {
          const stored = texts.map((reference) => searchTextOf([{ reference }]));
          const digests = createDigests(0);
          for (const text of stored) digests.add({ ...one, text: lettersOf(text) });
          const [digest] = digests.build();
          const text = stored[from % stored.length] ?? '';
          const part = text.slice(from % (text.length + 1), (from % (text.length + 1)) + (length % 13));
          const { of, bits } = bitsOf(part);
          expect(bits.filter((bit) => digest === undefined || !hasBit(digest[of], bit))).toEqual([]);
        },
      ),
    );
  });

  test('follows on the one before, and has nothing of it', () => {
    const digests = createDigests(7);
    for (let index = 0; index <= digestedMax; index += 1) {
      const [pass, outcome] = index === 0 ? ['rare', 'invalid'] : ['usual', 'matched'];
      digests.add({
        id: `res_${(index + 500) % 1_500}`,
        outcome,
        pass,
        amount: index === 3 ? '12.50' : null,
        text: lettersOf(`text ${index}`),
      });
    }
    expect(digests.build()).toMatchObject([
      {
        ...{ first: 7, last: 6 + digestedMax, outcomes: ['invalid', 'matched'], passes: ['rare', 'usual'] },
        ...{ idLeast: 'res_1000', idMost: 'res_999', amountMost: expect.closeTo(12.5, 6) },
      },
      {
        ...{ first: 7 + digestedMax, last: 7 + digestedMax, outcomes: ['matched'], passes: ['usual'] },
        ...{ idLeast: 'res_0', idMost: 'res_0', amountMost: null },
      },
    ]);
  });

  test('knows the ids of all records, also where the text ends before them', () => {
    const records = Array.from({ length: 300 }, (_, index) => ({ id: `Payment-${index}`, reference: 'x'.repeat(500) }));
    const text = searchTextOf(records);
    const digests = createDigests(0);
    digests.add({ ...one, text: lettersOf(text), names: idsBeyond(text, records) });
    const [digest] = digests.build();
    const isKnown = (id: string): boolean => {
      const { of, bits } = bitsOf(id.toLowerCase());
      return bits.every((bit) => digest !== undefined && hasBit(digest[of], bit));
    };
    expect(text).not.toContain('payment-299');
    expect(records.filter(({ id }) => !isKnown(id))).toEqual([]);
    expect(isKnown('Refund-299')).toBe(false);
    expect(idsBeyond(searchTextOf(records.slice(0, 3)), records.slice(0, 3))).toEqual([]);
  });

  test('has of each record what people know it by, however much the others say', () => {
    const records = [{ id: 'A1', description: 'x'.repeat(50_000) }, ...Array.from({ length: 300 }, (_, index) => ({ id: `B${index}` }))];
    const text = searchTextOf(records);
    expect(text).toContain('a1 xxx');
    expect(text).toContain('b299');
    expect(text.length).toBeLessThan(5_000);
  });
});

describe('the stretches in which results are looked for', () => {
  test.each([-1, 0, 16_000, 3_000_000, lastPosition - 1])('are few, and leave nothing out behind %i', (after) => {
    const stretches = [...stretchesBehind(after)];
    expect(stretches.length).toBeLessThanOrEqual(3);
    expect(stretches.map((stretch) => stretch.after)).toEqual([after, ...stretches.slice(0, -1).map(({ until }) => until)]);
    expect(stretches.at(-1)?.until).toBe(lastPosition);
  });
});

describe('results narrowed by what is rare among them', () => {
  // More than are looked through in one go.
  const count = 17_500;
  let executions: Executions;
  let run: { readonly id: string };

  beforeAll(async () => {
    const pass = (name: string, field: string) => ({ name, match: [{ field, type: 'exact' }] });
    executions = await shareExecutions(() => ({ passes: [pass('by reference', 'reference'), pass('by description', 'description')] }));
    const source = Array.from({ length: count }, (_, index) => euro(`s${index}`, index === 1_234 ? '98765.43' : '10.00'));
    const target = source.slice(10).map(({ id, ...record }) => ({ ...record, id: `t${String(id).slice(1)}` }));
    const aside = { reference: 'nowhere else', description: 'Zebra crossing' };
    run = await executions.run(
      'job_01jqv8m0c4e7r9t2w5y8a1f1nd',
      [...source, euro('s-aside', '10.00', aside)],
      [...target, euro('t-aside', '10.00', { ...aside, reference: 'somewhere' })],
    );
  });
  afterAll(() => executions.stop());

  const page = async (query: string) => executions.must(200, executions.api.get(`/v1/executions/${run.id}/results?${query}`));
  const idsOf = (body: { readonly data: readonly { readonly source: { id: string }[]; readonly target: { id: string }[] }[] }) =>
    body.data.map(({ source, target }) => [...source, ...target].map(({ id }) => id).join(' '));
  const digests = async () =>
    (await executions.database.query('select first, last from result_digests where execution_id = $1 order by first', [run.id])).rows;

  test('are found wherever they stand, by text, pass and amount, and each once', async () => {
    expect((await digests()).length).toBe(Math.ceil((count + 1) / digestedMax));
    expect(idsOf(await page('q=ZEBRA%20cross'))).toEqual(['s-aside t-aside']);
    expect(idsOf(await page('pass=by%20description'))).toEqual(['s-aside t-aside']);
    expect(idsOf(await page('minAmount=98765.43'))).toEqual(['s1234 t1234']);
    expect(idsOf(await page('minAmount=98765.44'))).toEqual([]);
    expect(idsOf(await page('q=zebra&minAmount=11'))).toEqual([]);
    expect(idsOf(await page('q=zebra%20crossings'))).toEqual([]);
    expect(idsOf(await page('q=ze')).sort()).toEqual(['s-aside t-aside']);
    expect(idsOf(await page('outcome=missing_in_target&q=s7'))).toEqual(['s7']);
  });

  const from = (first: number, length: number) => Array.from({ length }, (_, at) => first + at);
  test('come in pages that hold together', async () => {
    const all: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const body = await page(`q=t12&limit=150${cursor === '' ? '' : `&cursor=${cursor}`}`);
      all.push(...idsOf(body));
      cursor = body.nextCursor;
    }
    const wanted = [12, ...from(120, 10), ...from(1_200, 100), ...from(12_000, 1_000)];
    expect(all.toSorted()).toEqual(wanted.map((index) => `s${index} t${index}`).sort());
  });

  test('are found where a match by hand has put them, and again where its undoing has', async () => {
    const { id } = (await page('q=zebra')).data[0];
    await executions.must(204, executions.api.delete(`/v1/executions/${run.id}/matches/${id}`));
    expect(idsOf(await page('q=zebra')).sort()).toEqual(['s-aside', 't-aside']);
    const made = await executions.must(
      201,
      executions.api.post(`/v1/executions/${run.id}/matches`, { source: ['s3'], target: ['t-aside'] }),
    );
    expect(idsOf(await page('q=zebra')).sort()).toEqual(['s-aside', 's3 t-aside']);
    await executions.must(204, executions.api.delete(`/v1/executions/${run.id}/matches/${made.id}`));
    expect(idsOf(await page('q=zebra')).sort()).toEqual(['s-aside', 't-aside']);
    expect((await digests()).length).toBeGreaterThan(0);
  });

  test('are found by the ids of records and by their own, where a digest is missing or older than ids too', async () => {
    const match = (source: string, target: string) =>
      executions.api.post(`/v1/executions/${run.id}/matches`, { source: [source], target: [target] });
    const undo = async (id: string) => executions.must(204, executions.api.delete(`/v1/executions/${run.id}/matches/${id}`));
    await undo((await executions.must(201, match('s4', 't-aside'))).id);
    await executions.database.query('update result_digests set outcomes = null, id_least = null, id_most = null where execution_id = $1', [
      run.id,
    ]);
    expect(idsOf(await page('outcome=missing_in_target&q=s5'))).toEqual(['s5']);
    await undo((await executions.must(201, match('s5', 't-aside'))).id);
    await executions.must(400, match('s5', 'nobody'));
  });

  test('are not looked for where no digest has them', async () => {
    const { of, bits } = bitsOf('zebra');
    const asked = `select count(*)::int as asked from result_digests where execution_id = $1 and get_bit(${of}, $2) = 1`;
    const plan = await executions.database.query(asked, [run.id, bits[0]]);
    expect(plan.rows[0].asked).toBeLessThan((await digests()).length);
  });
});
