import { connect } from '@nats-io/transport-node';
import { organizationUpdated } from '@settler/contracts/events/identity';
import { waitFor } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Executions, euro, organizationId, shareExecutions } from './running-service.ts';

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions();
});
afterAll(() => executions.stop());

interface Quote {
  readonly base: string;
  readonly quote: string;
  readonly date: string;
  readonly rate: string;
  readonly source?: string;
}
const set = async (...rates: readonly Quote[]) => (await executions.must(200, executions.api.post('/v1/exchange-rates', { rates }))).data;
const list = async (query: string) => (await executions.must(200, executions.api.get(`/v1/exchange-rates?${query}`))).data;
const auditOf = async (id: string) => (await executions.messages('audit.recorded')).filter(({ resource }) => resource.id === id);

describe('exchange rates', () => {
  const franc = { base: 'CHF', quote: 'SEK', date: '2026-03-01', rate: '11.50', source: 'the bank' };

  test('are set by pair and day: exactly as written, and the trail says what was there before', async () => {
    const [first, second] = await set(franc, { ...franc, date: '2026-03-02', rate: '0.000000000001' });
    expect(first).toMatchObject({ ...franc, updatedBy: { type: 'user' } });
    expect(second).toMatchObject({ rate: '0.000000000001' });
    const [same] = await set(franc);
    expect(same).toEqual(first);
    const [changed, added] = await set({ ...franc, rate: '11.60' }, { ...franc, date: '2026-02-28' });
    expect(changed).toMatchObject({ id: first.id, rate: '11.60' });
    expect(added.id).not.toBe(first.id);
    expect(await auditOf(first.id)).toMatchObject([
      { action: 'exchange-rate.set', after: franc },
      { action: 'exchange-rate.set', before: franc, after: { ...franc, rate: '11.60' } },
    ]);
    expect((await list('base=CHF&quote=SEK')).map(({ date }: Quote) => date)).toEqual(['2026-03-02', '2026-03-01', '2026-02-28']);
    expect((await list('base=CHF&from=2026-03-01&to=2026-03-01')).map(({ rate }: Quote) => rate)).toEqual(['11.60']);
    expect(await list('quote=CHF')).toEqual([]);
  });

  test('are of currencies that there are', async () => {
    const answer = await executions.must(400, executions.api.post('/v1/exchange-rates', { rates: [franc, { ...franc, quote: 'BTC' }] }));
    expect(answer.errors).toEqual([{ path: 'rates[1].quote', message: 'must be an ISO 4217 currency code such as "EUR"' }]);
  });

  test('are listed of days that follow each other', async () => {
    expect((await executions.api.get('/v1/exchange-rates?from=2026-03-02&to=2026-03-01')).body).toMatchObject({
      code: 'validation_failed',
      errors: [{ path: 'to', message: 'must not be before `from`' }],
    });
  });

  test('are deleted once, by whoever has seen the last change', async () => {
    const [{ id }] = await set({ ...franc, quote: 'NOK' });
    const { headers } = await executions.api.get(`/v1/exchange-rates/${id}`);
    const seen = { headers: { 'if-match': headers.get('etag') ?? '' } };
    await set({ ...franc, quote: 'NOK', rate: '12' });
    await executions.must(412, executions.api.delete(`/v1/exchange-rates/${id}`, seen));
    await executions.must(404, executions.stranger.delete(`/v1/exchange-rates/${id}`));
    await executions.must(204, executions.api.delete(`/v1/exchange-rates/${id}`));
    await executions.must(404, executions.api.delete(`/v1/exchange-rates/${id}`));
    expect((await auditOf(id)).at(-1)).toMatchObject({ action: 'exchange-rate.deleted', before: { ...franc, quote: 'NOK', rate: '12' } });
  });

  test('that two set at once, in different orders, are set and recorded once', async () => {
    const dateOf = (index: number) => new Date(Date.UTC(2020, 0, 1 + index)).toISOString().slice(0, 10);
    const rates = Array.from({ length: 300 }, (_, index) => ({ ...franc, quote: 'DKK', date: dateOf(index) }));
    const [one, other] = await Promise.all([set(...rates), set(...rates.toReversed())]);
    expect(one).toEqual(other.toReversed());
    const recorded = (await executions.messages('audit.recorded')).filter(({ after }) => after?.quote === 'DKK');
    expect(recorded).toHaveLength(rates.length);
  });
});

describe('a report in a base currency', () => {
  const runOf = (jobId: string) =>
    executions.run(
      jobId,
      [euro('s1', '10.00'), euro('s2', '10.01', { currency: 'USD' }), euro('s3', '500', { currency: 'JPY' })],
      [euro('t1', '10.00'), euro('t4', '3.00', { currency: 'GBP' })],
    );
  const report = (id: string, query: string) => executions.must(200, executions.api.get(`/v1/executions/${id}/report${query}`));

  test('has each total once, with the rates and their days, and names what it cannot convert', async () => {
    const { id } = await runOf('job_01jqv8m0c4e7r9t2w5y8a3base');
    await set(
      { base: 'USD', quote: 'EUR', date: '2026-04-01', rate: '0.9', source: 'ECB' },
      { base: 'USD', quote: 'EUR', date: '2026-04-03', rate: '0.95' },
      { base: 'EUR', quote: 'JPY', date: '2026-03-15', rate: '160' },
    );
    const plain = await report(id, '');
    const { base, ...rest } = await report(id, '?baseCurrency=EUR&ratesOn=2026-04-02');
    expect(plain).toEqual({ ...rest, base: null });
    // 10.01 × 0.9 + 500 ÷ 160 = 9.009 + 3.125 = 12.134
    expect(base).toEqual({
      currency: 'EUR',
      ratesOn: '2026-04-02',
      totals: [
        { outcome: 'matched', side: 'source', count: 1, amount: '10.00' },
        { outcome: 'matched', side: 'target', count: 1, amount: '10.00' },
        { outcome: 'missing_in_target', side: 'source', count: 2, amount: '12.13' },
      ],
      rates: [
        { base: 'EUR', quote: 'JPY', date: '2026-03-15', rate: '160', source: null, inverted: true },
        { base: 'USD', quote: 'EUR', date: '2026-04-01', rate: '0.9', source: 'ECB', inverted: false },
      ],
      missing: ['GBP'],
    });
    const before = await report(id, '?baseCurrency=EUR&ratesOn=2026-03-14');
    expect(before.base).toMatchObject({ rates: [], missing: ['GBP', 'JPY', 'USD'] });
  });

  test('takes the rates of the day on which the run ended', async () => {
    const { id, completedAt } = await runOf('job_01jqv8m0c4e7r9t2w5y8a4base');
    const day = completedAt.slice(0, 10);
    await set({ base: 'GBP', quote: 'CAD', date: day, rate: '1.75' }, { base: 'GBP', quote: 'CAD', date: '2999-12-31', rate: '2' });
    const { base } = await report(id, '?baseCurrency=CAD');
    expect(base).toMatchObject({ ratesOn: day, rates: [{ rate: '1.75', date: day }], missing: ['EUR', 'JPY', 'USD'] });
    expect(base.totals).toEqual([{ outcome: 'missing_in_source', side: 'target', count: 1, amount: '5.25' }]);
  });

  test('knows the rates of its own organization alone', async () => {
    const { id } = await runOf('job_01jqv8m0c4e7r9t2w5y8a5base');
    const rates = [{ base: 'GBP', quote: 'AUD', date: '2026-01-01', rate: '2' }];
    await executions.must(200, executions.stranger.post('/v1/exchange-rates', { rates }));
    expect((await report(id, '?baseCurrency=AUD')).base).toMatchObject({ totals: [], rates: [] });
    expect(await list('quote=AUD')).toEqual([]);
  });

  test('is in the currency of the organization where none is named, by the newest that identity has said', async () => {
    const { id } = await runOf('job_01jqv8m0c4e7r9t2w5y8a6base');
    const { host, username, password } = new URL(executions.island.brokerUrl('identity'));
    const identity = await connect({ servers: host, user: username, pass: password });
    const say = (aggregateversion: number, baseCurrency: string) =>
      identity.publish(
        `evt.identity.organization.updated.v1.${organizationId}`,
        JSON.stringify({
          specversion: '1.0',
          id: `evt_01jqv8m0c4e7r9t2w5y8a1b3d${aggregateversion}`,
          source: '/settler/identity',
          type: 'organization.updated',
          subject: organizationId,
          time: '2026-04-01T00:00:00.000Z',
          datacontenttype: 'application/json',
          organizationid: organizationId,
          aggregateversion,
          data: { ...organizationUpdated.example, organizationId, baseCurrency },
        }),
      );
    say(3, 'JPY');
    say(2, 'CHF');
    await identity.drain();
    await waitFor(async () => (await executions.database.query('select 1 from inbox')).rowCount === 2, {
      timeoutMs: 10_000,
      what: 'two events',
    });
    expect((await report(id, '?ratesOn=2026-04-02')).base).toMatchObject({ currency: 'JPY', ratesOn: '2026-04-02' });
    expect((await report(id, '?baseCurrency=EUR')).base).toMatchObject({ currency: 'EUR' });
  });
});
