import { rules } from '@settler/contracts/rules';
import { afterEach, describe, expect, test } from 'vitest';
import { createExplainer, type Explainer } from '../src/infrastructure/explaining/explainer.ts';

const result = (id: string, outcome: string, source: readonly object[], target: readonly object[]) => ({
  id,
  outcome,
  isManual: false,
  source: JSON.stringify(source),
  target: JSON.stringify(target),
});
const order = { id: 's1', amount: '10.00', currency: 'EUR', reference: 'R1' };
const payment = (id: string, reference: string) => ({ ...order, id, reference });
const question = {
  rules: rules.parse({
    matching: [
      { field: 'reference', type: 'exact' },
      { field: 'amount', type: 'amount' },
    ],
  }),
  asOf: '2026-05-01',
  resultId: 'one',
  apart: [],
  results: [result('one', 'missing_in_target', [order], []), result('two', 'missing_in_source', [], [payment('t1', 'r1 ')])],
};

/** A thread is a moment late where the machine is busy, and what it has to say is what is looked at here. */
const patienceMs = 60_000;

describe('explaining in threads', () => {
  let explainer: Explainer;
  afterEach(() => explainer.close());

  test('a few are answered in turn, and whoever comes when too many wait is told to come back', async () => {
    explainer = createExplainer(patienceMs);
    const asked = Array.from({ length: 7 }, () => explainer.ask(question));
    const answers = await Promise.allSettled(asked);
    const candidates = [
      expect.objectContaining({ record: payment('t1', 'r1 '), effect: expect.objectContaining({ gained: expect.anything() }) }),
    ];
    expect(answers.slice(0, 6)).toEqual(Array(6).fill({ status: 'fulfilled', value: { kind: 'candidates', candidates } }));
    expect(answers[6]).toMatchObject({
      status: 'rejected',
      reason: { code: 'upstream_unavailable', details: { headers: { 'x-settler-away': 'explaining' } } },
    });
    expect(await explainer.ask(question)).toMatchObject({ kind: 'candidates' });
  });

  test('the record with several candidates is the one that is explained', async () => {
    explainer = createExplainer(patienceMs);
    const ambiguous = result('one', 'ambiguous', [order, { ...order, id: 's2' }], [payment('t1', 'R1')]);
    const reply = await explainer.ask({ ...question, results: [ambiguous] });
    expect(reply).toMatchObject({ candidates: [{ record: { id: 's1' }, outcome: 'ambiguous' }, { record: { id: 's2' } }] });
  });
});
