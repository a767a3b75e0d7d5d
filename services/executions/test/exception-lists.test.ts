import { lockWaits, waitFor } from '@settler/harness';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { questionsOf, userId } from './exception-questions.ts';
import { byReference, createJobs, type Executions, euro, type Fields, shareExecutions } from './running-service.ts';

const { rulesOf, jobWith } = createJobs();
const newJobId = () => jobWith(byReference);

let executions: Executions;
beforeAll(async () => {
  executions = await shareExecutions((jobId) => rulesOf.get(jobId));
});
afterAll(() => executions.stop());

const questions = questionsOf(() => executions);
const withOneOpen = () => questions.withOneOpen(newJobId());

describe('the list of exceptions', () => {
  test('is narrowed by what people ask for, and its pages stay put', async () => {
    const { api, must, exceptionsOf } = executions;
    const jobId = newJobId();
    await executions.run(
      jobId,
      [
        euro('s1', '10.00', { counterparty: 'Harbour Café' }),
        euro('s2', '75.00'),
        euro('s3', '12000.00'),
        euro('s4', '-2000.00'),
        euro('s5', '80', { currency: 'JPY' }),
      ],
      [euro('t2', '75.50')],
    );
    const amounts = async (filter: string) => (await exceptionsOf(jobId, filter)).map(({ amount }: { amount: string }) => amount).sort();
    expect(await amounts('&category=missing_in_target')).toEqual(['-2000.00', '10.00', '12000.00', '80']);
    expect(await amounts('&minAmount=75')).toEqual(['-2000.00', '12000.00', '75.50', '80']);
    expect(await amounts('&minAmount=75&currency=EUR')).toEqual(['-2000.00', '12000.00', '75.50']);
    expect(await amounts('&currency=JPY')).toEqual(['80']);
    expect((await api.get('/v1/exceptions?currency=eur')).body.errors).toMatchObject([{ path: 'currency' }]);
    expect(await amounts('&q=harbour%20caf%C3%A9')).toEqual(['10.00']);
    expect(await amounts('&severity=critical')).toEqual(['12000.00']);
    expect(await amounts('&severity=high')).toEqual(['-2000.00']);
    // Seventy-five are in the bank; half of one is not.
    expect(await amounts('&severity=low')).toEqual(['10.00', '75.50', '80']);
    const [{ id }] = await exceptionsOf(jobId, '&severity=critical');
    await must(200, api.patch(`/v1/exceptions/${id}`, { assigneeId: userId }));
    expect(await amounts(`&assignee=${userId}`)).toEqual(['12000.00']);
    expect(await amounts('&assignee=none')).toHaveLength(4);
    await must(200, api.post(`/v1/exceptions/${id}/resolve`, { resolution: 'expected_timing' }));
    expect(await amounts('&resolution=expected_timing')).toEqual(['12000.00']);
    const first = await must(200, api.get(`/v1/exceptions?jobId=${jobId}&limit=1`));
    const other = await api.get(`/v1/exceptions?jobId=${jobId}&limit=1&status=open&cursor=${first.nextCursor}`);
    expect(other.body.errors).toMatchObject([{ path: 'cursor' }]);
    expect((await api.get('/v1/exceptions?assignee=Ann')).body.errors).toEqual([
      { path: 'assignee', message: 'must be the id of a user, or none' },
    ]);
  });

  test('shows what nobody deals with as more urgent the longer it waits, unless a person has weighed it', async () => {
    const { api, must, database, exceptionsOf } = executions;
    const { jobId, id, at } = await withOneOpen();
    const waiting = async (days: number) => {
      await database.query('update exceptions set first_seen_at = now() - make_interval(days => $2) where id = $1', [id, days]);
      const [{ severity, ageDays }] = await exceptionsOf(jobId);
      return [severity, ageDays];
    };
    expect(await waiting(30)).toEqual(['low', 30]);
    expect(await waiting(31)).toEqual(['medium', 31]);
    expect(await waiting(91)).toEqual(['high', 91]);
    expect(await exceptionsOf(jobId, '&severity=high')).toHaveLength(1);
    await must(200, api.patch(at, { severity: 'low' }));
    expect(await exceptionsOf(jobId, '&severity=low')).toHaveLength(1);
  });

  test('is summed up in the report by how long each has waited', async () => {
    const { api, must, database } = executions;
    const jobId = newJobId();
    const { id: executionId } = await executions.run(
      jobId,
      [7, 8, 30, 31, 60, 61, 90, 91].map((days) => euro(`s${days}`, days === 8 ? '-1.00' : '1.00')),
      [],
    );
    await database.query(
      `update exceptions set first_seen_at = now() - make_interval(days => right(records->0->>'id', -1)::int) where job_id = $1`,
      [jobId],
    );
    const { ageing } = await must(200, api.get(`/v1/executions/${executionId}/report`));
    expect(ageing.map(({ bucket, count, amount }: { bucket: string; count: number; amount: string }) => [bucket, count, amount])).toEqual([
      ['0-7', 1, '1.00'],
      ['8-30', 2, '2.00'],
      ['31-60', 2, '2.00'],
      ['61-90', 2, '2.00'],
      ['90+', 1, '1.00'],
    ]);
  });

  test('has the digits of its currency in each sum, also where no record says an amount; of none nothing is summed', async () => {
    const { api, must, database } = executions;
    const jobId = newJobId();
    const unpriced = ['EUR', 'JPY', 'KWD'].map((currency) => ({ id: currency, currency, reference: currency }));
    const { id } = await executions.run(jobId, [...unpriced, { id: 'lost', amount: '2.50', reference: 'lost' }], []);
    const sums = (lines: readonly { currency: string; amount: string }[]) =>
      lines.map(({ currency, amount }) => `${currency} ${amount}`).toSorted();
    const expected = [' 0.00', 'EUR 0.00', 'JPY 0', 'KWD 0.000'];
    expect(sums((await must(200, api.get(`/v1/executions/${id}/report`))).ageing)).toEqual(expected);
    const opened = async () => sums((await must(200, api.get(`/v1/reports/trend?jobId=${jobId}`))).data[0].opened);
    expect(await opened()).toEqual(expected);
    await database.query('update executions set opened = null where job_id = $1', [jobId]);
    expect(await opened()).toEqual(expected);
  });
});

describe('an exception of two sides', () => {
  const grouped = {
    passes: [{ name: 'payouts', cardinality: 'many-to-one', match: [{ field: 'reference', type: 'exact' }], sum: {} }],
  };
  const part = (id: string, amount: string, more: Fields = {}) => euro(id, amount, { reference: 'p', ...more });
  const unnamed = (amount: string): Fields => ({ amount, currency: 'EUR', date: '2026-04-01', reference: 'cash' });

  test.each<readonly [string, object, readonly Fields[], readonly Fields[], object]>([
    [
      'a pair',
      byReference,
      [euro('s1', '10000.00')],
      [euro('t1', '10000.02', { date: '2026-04-03' })],
      { sides: ['source', 'target'], delta: { amount: '0.02', days: 2 } },
    ],
    [
      'one without ids',
      {
        passes: [
          {
            name: 'exact',
            match: [
              { field: 'reference', type: 'exact' },
              { field: 'amount', type: 'amount', verify: true },
            ],
          },
        ],
      },
      [unnamed('60.00')],
      [unnamed('12.50')],
      { sides: ['source', 'target'], delta: { amount: '-47.50', days: 0 } },
    ],
    [
      'one of two currencies, though it is known what one is worth in the other',
      {
        passes: [
          {
            name: 'rates',
            match: [
              { field: 'reference', type: 'exact' },
              { field: 'amount', type: 'amount', fx: { table: { 'EUR/JPY': '160' } }, verify: true },
            ],
          },
        ],
      },
      [euro('s1', '10.00')],
      [euro('t1', '1500', { currency: 'JPY' })],
      { sides: ['source', 'target'], delta: { amount: null, days: 0 } },
    ],
    [
      'a group, with the digits of its currency',
      grouped,
      [part('s1', '40', { currency: 'JPY' }), part('s2', '60', { currency: 'JPY' })],
      [part('t1', '97', { currency: 'JPY' })],
      { sides: ['source', 'source', 'target'], delta: { amount: '-3', days: null } },
    ],
    [
      'several that may be meant, none of which differs',
      grouped,
      [part('s1', '40.00')],
      [part('t1', '40.00'), part('t2', '40.00')],
      { category: 'ambiguous', sides: ['source', 'target', 'target'], delta: null },
    ],
    ['one without a counterpart', byReference, [], [euro('t1', '5.00')], { sides: ['target'], delta: null }],
    [
      'one that cannot be read',
      byReference,
      [euro('s1', '10.00', { currency: undefined })],
      [],
      { category: 'invalid_record', sides: ['source'], delta: null },
    ],
  ])('says on which side each record is, and by how much the sides differ: %s', async (_what, rules, source, target, expected) => {
    const { api, must, exceptionsOf } = executions;
    const jobId = jobWith(rules);
    const { id } = await executions.run(jobId, source, target);
    const [listed, ...others] = await exceptionsOf(jobId);
    expect(others).toEqual([]);
    expect(listed).toMatchObject(expected);
    const { sides, delta } = await must(200, api.get(`/v1/exceptions/${listed.id}`));
    expect({ sides, delta }).toEqual({ sides: listed.sides, delta: listed.delta });
    const result = (await questions.resultsOf(id)).find(({ exceptionId }) => exceptionId === listed.id);
    expect(listed.sides).toEqual([...(result?.source ?? []).map(() => 'source'), ...(result?.target ?? []).map(() => 'target')]);
  });
});

describe('the sum of exceptions', () => {
  test('is of what the list finds, as a whole and by all that work is divided by', async () => {
    const { must, api, database, exceptionsOf } = executions;
    const jobId = newJobId();
    const withoutAmount = { id: 's6', reference: 'R6', currency: 'EUR', date: '2026-04-01' };
    await executions.run(
      jobId,
      [
        euro('s1', '10.00'),
        euro('s2', '-4.50'),
        euro('s3', '12000.00'),
        euro('s4', '80', { currency: 'JPY' }),
        euro('s5', '1.00'),
        withoutAmount,
      ],
      [euro('t9', '3.00')],
    );
    const large = (await exceptionsOf(jobId, '&minAmount=5000'))[0]?.id;
    const [small] = await exceptionsOf(jobId, '&q=s5');
    await must(200, api.patch(`/v1/exceptions/${large}`, { assigneeId: userId, status: 'in_progress' }));
    await must(200, api.post(`/v1/exceptions/${small?.id}/resolve`, { resolution: 'expected_timing' }));
    await database.query(`update exceptions set first_seen_at = now() - make_interval(days => 40) where id = $1`, [large]);
    const sumOf = async (filter: string) => must(200, api.get(`/v1/exceptions/summary?jobId=${jobId}${filter}`));
    const found = await exceptionsOf(jobId, '&status=open,in_progress');
    const open = await sumOf('&status=open,in_progress');
    expect(open.count).toBe(found.length);
    expect(open).toEqual({
      count: 6,
      amounts: { EUR: '12017.50', JPY: '80' },
      by: {
        status: [
          { value: 'open', count: 5, amounts: { EUR: '17.50', JPY: '80' } },
          { value: 'in_progress', count: 1, amounts: { EUR: '12000.00' } },
        ],
        category: [
          { value: 'missing_in_target', count: 5, amounts: { EUR: '12014.50', JPY: '80' } },
          { value: 'missing_in_source', count: 1, amounts: { EUR: '3.00' } },
        ],
        severity: expect.arrayContaining([{ value: 'critical', count: 1, amounts: { EUR: '12000.00' } }]),
        age: [
          { value: '0-7', count: 5, amounts: { EUR: '17.50', JPY: '80' } },
          { value: '31-60', count: 1, amounts: { EUR: '12000.00' } },
        ],
        assignee: [
          { value: null, count: 5, amounts: { EUR: '17.50', JPY: '80' } },
          { value: userId, count: 1, amounts: { EUR: '12000.00' } },
        ],
        job: [{ value: jobId, count: 6, amounts: { EUR: '12017.50', JPY: '80' } }],
      },
    });
    expect(await sumOf('&resolution=expected_timing')).toMatchObject({ count: 1, amounts: { EUR: '1.00' } });
    const nothing = { status: [], category: [], severity: [], age: [], assignee: [], job: [] };
    expect(await sumOf('&q=nobody')).toEqual({ count: 0, amounts: {}, by: nothing });
    expect((await executions.stranger.get(`/v1/exceptions/summary?jobId=${jobId}`)).body).toEqual({ count: 0, amounts: {}, by: nothing });
  });
});

describe('exceptions of several statuses', () => {
  test('are listed together, newest first, in pages that miss none, and resolved together', async () => {
    const { must, api, exceptionsOf } = executions;
    const jobId = newJobId();
    await executions.run(
      jobId,
      [1, 2, 3, 4, 5, 6].map((number) => euro(`s${number}`, `${number}.00`)),
      [],
    );
    const all: { id: string }[] = await exceptionsOf(jobId);
    const [first, , third, , fifth] = all.map(({ id }) => id);
    for (const id of [first, fifth]) await must(200, api.patch(`/v1/exceptions/${id}`, { status: 'in_progress' }));
    await must(200, api.post(`/v1/exceptions/${third}/resolve`, { resolution: 'expected_timing' }));
    const unresolved = all.map(({ id }) => id).filter((id) => id !== third);
    const pages: string[][] = [];
    for (let cursor = ''; ; ) {
      const { data, nextCursor } = await must(200, api.get(`/v1/exceptions?jobId=${jobId}&status=open,in_progress&limit=2${cursor}`));
      pages.push(data.map(({ id }: { id: string }) => id));
      if (nextCursor === null) break;
      cursor = `&cursor=${nextCursor}`;
    }
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
    expect(pages.flat()).toEqual(unresolved);
    expect(await exceptionsOf(jobId, '&status=resolved,in_progress,resolved')).toHaveLength(3);
    for (const status of ['open,', 'open,closed', 'open in_progress'])
      expect((await must(400, api.get(`/v1/exceptions?status=${encodeURIComponent(status)}`))).errors).toEqual([
        {
          path: 'status',
          message:
            'must be one of open, in_progress, resolved, dismissed, or several of them with commas between, such as open,in_progress',
        },
      ]);
    const body = { filter: { jobId, status: 'in_progress,resolved' }, resolution: 'expected_timing' };
    const { data } = await must(200, api.post('/v1/exceptions/bulk-resolve', body));
    expect(data).toEqual([
      { id: fifth, status: 'resolved' },
      { id: first, status: 'resolved' },
      { id: third, status: 'resolved', code: 'conflict' },
    ]);
  });
});

describe('many exceptions at once', () => {
  const resolve = (body: object, options = {}) =>
    executions.api.post('/v1/exceptions/bulk-resolve', { resolution: 'written_off', note: 'of last year', ...body }, options);

  const update = (body: object, options = {}) => executions.api.post('/v1/exceptions/bulk-update', body, options);

  test('that somebody else locks the other way round are refused so that the same request can be made again', async () => {
    const { must, database, island } = executions;
    const jobId = newJobId();
    await executions.run(jobId, [euro('s1', '1.00'), euro('s2', '2.00'), euro('s3', '3.00')], []);
    const ids = (await executions.exceptionsOf(jobId)).map(({ id }: { id: string }) => id).sort();
    const [first, second, third] = ids;
    const connections = [1, 2].map(() => new pg.Client(island.databaseConfig('executions', 'admin')));
    const [other, looking] = connections as [pg.Client, pg.Client];
    await Promise.all(connections.map((connection) => connection.connect()));
    try {
      const lock = (by: pg.Client, id?: string) => by.query('select from exceptions where id = $1 for update', [id]);
      const waiting = (count: number) => waitFor(async () => (await looking.query(lockWaits)).rowCount === count, { what: 'them to wait' });
      // Whoever closes the circle looks for it, and is the victim. The other never looks.
      await other.query("begin; set local deadlock_timeout = '1h'");
      await lock(other, third);
      await database.query('begin');
      await lock(database, second);
      const again = { headers: { 'idempotency-key': 'a deadlock' } };
      const asking = update({ ids, severity: 'critical' }, again);
      await waiting(1);
      const having = lock(other, first);
      await waiting(2);
      await database.query('rollback');
      const refused = await asking;
      await having;
      await other.query('commit');
      expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'upstream_unavailable', '1']);
      // The gateway does not count it against the service.
      expect(refused.headers.get('x-settler-away')).toBe('contention');
      expect((await executions.exceptionsOf(jobId)).map(({ severity }: { severity: string }) => severity)).toEqual(['low', 'low', 'low']);
      await must(200, update({ ids, severity: 'critical' }, again));
    } finally {
      await database.query('rollback');
      await Promise.all(connections.map((connection) => connection.end()));
    }
  });

  test('are resolved each by itself: what cannot be says why, and keeps nothing else from it', async () => {
    const { must, api, messages } = executions;
    const jobId = newJobId();
    await executions.run(jobId, [euro('s1', '1.00'), euro('s2', '2.00'), euro('s3', '3.00')], []);
    const ids = (await executions.exceptionsOf(jobId)).map(({ id }: { id: string }) => id);
    await must(200, api.post(`/v1/exceptions/${ids[0]}/resolve`, { resolution: 'expected_timing' }));
    const nobodys = 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6';
    const answer = await must(200, resolve({ ids: [ids[2], nobodys, ids[0], ids[1], ids[1]] }));
    expect(answer).toEqual({
      data: [
        { id: ids[2], status: 'resolved' },
        { id: nobodys, status: null, code: 'not_found' },
        { id: ids[0], status: 'resolved', code: 'conflict' },
        { id: ids[1], status: 'resolved' },
      ],
      hasMore: false,
    });
    const one = await must(200, api.get(`/v1/exceptions/${ids[1]}`));
    expect(one).toMatchObject({ resolution: 'written_off' });
    expect(one.history.at(-1)).toMatchObject({ action: 'resolved', detail: { resolution: 'written_off', note: 'of last year' } });
    expect((await must(200, api.get(`/v1/exceptions/${ids[0]}`))).resolution).toBe('expected_timing');
    const told = (await messages('exception.resolved')).map(({ exceptionId }) => exceptionId);
    expect(told.filter((id) => ids.includes(id)).sort()).toEqual([...ids].sort());
    const audited = (await messages('audit.recorded')).filter(
      ({ action, resource }) => action === 'exception.resolved' && ids.includes(resource.id),
    );
    expect(audited).toHaveLength(3);
    // Only the one that is late takes part again.
    expect((await executions.run(jobId, [], [])).summary).toMatchObject({ missingInTarget: 1 });
  });

  test('are found by the filter of the list, a thousand at a time', async () => {
    const { must, database, exceptionsOf, messages } = executions;
    const jobId = newJobId();
    await executions.run(
      jobId,
      Array.from({ length: 1_003 }, (_, index) => euro(`s${index}`, index === 7 ? '500.00' : '0.01')),
      [],
    );
    const count = async () =>
      Number((await database.query(`select count(*) from exceptions where job_id = $1 and status = 'open'`, [jobId])).rows[0].count);
    expect((await must(200, resolve({ filter: { jobId, minAmount: '100' } }))).data).toHaveLength(1);
    const headers = { headers: { 'idempotency-key': `bulk ${jobId}` } };
    const first = await must(200, resolve({ filter: { jobId } }, headers));
    expect(first).toMatchObject({ hasMore: true });
    expect(first.data).toHaveLength(1_000);
    expect(await count()).toBe(2);
    expect(await must(200, resolve({ filter: { jobId } }, headers))).toEqual(first);
    expect(await must(200, resolve({ filter: { jobId } }))).toMatchObject({ data: [{}, {}], hasMore: false });
    expect(await must(200, resolve({ filter: { jobId } }))).toEqual({ data: [], hasMore: false });
    expect(await exceptionsOf(jobId, '&status=open')).toEqual([]);
    expect((await messages('exception.resolved')).filter((event) => event.jobId === jobId)).toHaveLength(1_003);
  });

  test('are assigned, taken up and weighed together, each with what has changed of it in its history', async () => {
    const { must, api, messages } = executions;
    const jobId = newJobId();
    await executions.run(jobId, [euro('s1', '1.00'), euro('s2', '2.00'), euro('s3', '3.00')], []);
    const ids: string[] = (await executions.exceptionsOf(jobId)).map(({ id }: { id: string }) => id);
    const [first, second, third] = ids;
    await must(200, api.patch(`/v1/exceptions/${first}`, { assigneeId: userId, severity: 'critical' }));
    await must(200, api.post(`/v1/exceptions/${third}/resolve`, { resolution: 'expected_timing' }));
    const nobodys = 'exc_01jqv8m0c4e7r9t2w5y8a1b3d6';
    const change = { assigneeId: userId, status: 'in_progress', severity: 'high' };
    expect(await must(200, update({ ids: [first, nobodys, second, third], ...change }))).toEqual({
      data: [
        { id: first, status: 'in_progress' },
        { id: nobodys, status: null, code: 'not_found' },
        { id: second, status: 'in_progress' },
        { id: third, status: 'resolved', code: 'conflict' },
      ],
      hasMore: false,
    });
    const read = await Promise.all(ids.map((id) => must(200, api.get(`/v1/exceptions/${id}`))));
    expect(read.map(({ assigneeId, status, severity }) => [assigneeId, status, severity])).toEqual([
      [userId, 'in_progress', 'high'],
      [userId, 'in_progress', 'high'],
      [null, 'resolved', 'low'],
    ]);
    const lines = ({ history }: { history: readonly { action: string; detail: object }[] }) =>
      history.map(({ action, detail }) => ({ action, ...detail }));
    expect(lines(read[0]).slice(-2)).toEqual([
      { action: 'severity_changed', from: 'critical', to: 'high' },
      { action: 'status_changed', from: 'open', to: 'in_progress' },
    ]);
    expect(lines(read[1]).slice(-3)).toEqual([
      { action: 'assigned', from: null, to: userId },
      { action: 'severity_changed', from: 'low', to: 'high' },
      { action: 'status_changed', from: 'open', to: 'in_progress' },
    ]);
    const told = (await messages('exception.assigned')).map(({ exceptionId }) => exceptionId);
    expect(told.filter((id) => id === second)).toHaveLength(1);
    const audited = (await messages('audit.recorded')).filter(
      ({ action, resource }) => action === 'exception.updated' && resource.id === second,
    );
    expect(audited.map(({ after }) => after)).toEqual([{ status: 'in_progress', severity: 'high', assigneeId: userId, resolution: null }]);
    // Said again it changes nothing, and is not said again.
    const before = read[1].history.length;
    expect((await must(200, update({ ids: [second], ...change }))).data).toEqual([{ id: second, status: 'in_progress' }]);
    expect((await must(200, api.get(`/v1/exceptions/${second}`))).history).toHaveLength(before);
  });

  test('are changed by the filter of the list until there are no more, also where the filter still finds what was changed', async () => {
    const { must, exceptionsOf } = executions;
    const jobId = newJobId();
    await executions.run(
      jobId,
      Array.from({ length: 1_003 }, (_, index) => euro(`s${index}`, '0.01')),
      [],
    );
    const body = { filter: { jobId }, assigneeId: userId };
    const first = await must(200, update(body));
    expect(first).toMatchObject({ hasMore: true });
    expect(first.data).toHaveLength(1_000);
    expect(await must(200, update(body))).toMatchObject({ data: [{}, {}, {}], hasMore: false });
    expect(await must(200, update(body))).toEqual({ data: [], hasMore: false });
    expect(await exceptionsOf(jobId, '&assignee=none')).toEqual([]);
    expect((await must(200, update({ filter: { jobId, assignee: userId }, assigneeId: null }))).data).toHaveLength(1_000);
  });

  test('are dismissed together, but for what takes a second person', async () => {
    const { must, api } = executions;
    const jobId = jobWith({ ...byReference, approval: { above: { EUR: '100.00' } } });
    await executions.run(jobId, [euro('s1', '1.00'), euro('s2', '500.00')], []);
    const [large, small] = await Promise.all(
      ['500', '0'].map(async (least) => (await executions.exceptionsOf(jobId, `&minAmount=${least}`)).at(least === '0' ? -1 : 0)?.id),
    );
    const ids = [large, small];
    expect((await must(200, update({ ids, status: 'dismissed' }))).data).toEqual([
      { id: large, status: 'open', code: 'approval_required' },
      { id: small, status: 'dismissed' },
    ]);
    expect((await must(200, api.get(`/v1/exceptions/${large}`))).status).toBe('open');
  });

  test('of another organization are not found', async () => {
    const { id } = await withOneOpen();
    const { body } = await executions.stranger.post('/v1/exceptions/bulk-resolve', { ids: [id], resolution: 'other' });
    expect(body.data).toEqual([{ id, status: null, code: 'not_found' }]);
    const all = await executions.stranger.post('/v1/exceptions/bulk-resolve', { filter: { minAmount: '0' }, resolution: 'other' });
    expect(all.body).toEqual({ data: [], hasMore: false });
    const changed = await executions.stranger.post('/v1/exceptions/bulk-update', { ids: [id], severity: 'high' });
    expect(changed.body.data).toEqual([{ id, status: null, code: 'not_found' }]);
  });
});
