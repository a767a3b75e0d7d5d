import { randomBytes } from 'node:crypto';
import { job, must, newJob, type Party, payments, uploadOrders } from '../party.ts';
import { type Cases, conflict, invalid, nobodys, type Refusal, type Setting, type Wanted } from './case.ts';

const inputs = (fileId: string) => ({ source: { fileId }, target: { records: payments } });
const runOf = (jobId: string, body: object): Wanted => ({ path: `/v1/jobs/${jobId}/executions`, body });
const of =
  (rest: string) =>
  ({ executionId }: Party): Wanted => ({ path: `/v1/executions/${executionId}${rest}` });

/** A job whose run goes on for ever, held by a worker that never ends it: whatever is started behind it waits. */
const busyJob = async (party: Party, { databases }: Setting): Promise<string> => {
  const jobId = await newJob(party.key);
  await databases.rows(
    'executions',
    `insert into executions (id, organization_id, job_id, job_version, definition, dry_run, is_serial, status, progress, lease_owner, lease_until,
                             created_by_type, created_by_id)
     values ('exe_' || right($2, 26), $1, $2, 1, '{}', false, true, 'running', '{"stage":"matching","done":0,"total":null}', 'a worker',
             now() + interval '1 day', 'user', 'usr_somebody')`,
    [party.organizationId, jobId],
  );
  return jobId;
};

/** A run that waits behind another one, and the file that it waits with. */
const waiting = async (party: Party, setting: Setting) => {
  const [jobId, fileId] = await Promise.all([busyJob(party, setting), uploadOrders(party.key)]);
  const { id } = await must(202, party.key.post(`/v1/jobs/${jobId}/executions`, { ...inputs(fileId), overlap: true }));
  return { id: id as string, fileId };
};

/** An exception that nobody has looked at; or one that was resolved. */
const anException = async (
  party: Party,
  { databases }: Setting,
  status: 'open' | 'resolved' = 'open',
  { jobId, executionId }: Pick<Party, 'jobId' | 'executionId'> = party,
): Promise<string> => {
  const id = `exc_0${randomBytes(25).toString('hex').slice(0, 25)}`;
  await databases.rows(
    'executions',
    `insert into exceptions (id, organization_id, job_id, execution_id, record_key, category, severity, status, resolution, records, amount, currency,
                             first_seen_at, created_at, updated_at)
     values ($1, $2, $3, $4, $1, 'missing_in_target', 'low', $5::text, case when $5::text = 'resolved' then 'other' end, jsonb_build_array(jsonb_build_object('id', $1::text)), 9, 'EUR',
             now(), now(), now())`,
    [id, party.organizationId, jobId, executionId, status],
  );
  return id;
};
const ofException =
  (rest: string, body?: object, status: 'open' | 'resolved' = 'open') =>
  async (party: Party, setting: Setting): Promise<Wanted> => ({
    path: `/v1/exceptions/${await anException(party, setting, status)}${rest}`,
    ...(body === undefined ? {} : { body }),
  });

const crockford = (length: number): string => randomBytes(length).toString('hex').slice(0, length);
const pair = { source: ['o7'], target: ['p7'] };

/** A run that is over, with an order and a payment that the rules have not brought together. */
const unmatchedRun = async (
  party: Party,
  { databases }: Setting,
  rules: object = {},
): Promise<Pick<Party, 'jobId' | 'executionId'> & { readonly orderResult: string }> => {
  const [id, order, payment] = ['exe', 'res', 'res'].map((prefix) => `${prefix}_0${crockford(25)}`) as [string, string, string];
  const jobId = `job_${id.slice(4)}`;
  const rows = (statement: string, more: readonly unknown[] = []) =>
    databases.rows('executions', statement, [party.organizationId, id, ...more]);
  const summary = JSON.stringify({
    ...{ source: { records: 1, amount: '7.00' }, target: { records: 1, amount: '7.00' }, matched: 0, mismatched: 0 },
    ...{ missingInTarget: 1, missingInSource: 1, duplicates: 0, ambiguous: 0, invalid: 0, matchRate: 0, byCurrency: {} },
  });
  await databases.rows('executions', 'select ensure_result_partitions(now()::date)', []);
  await rows(
    `insert into executions (id, organization_id, job_id, job_version, definition, dry_run, is_serial, status, progress, summary, created_by_type,
                             created_by_id)
     values ($2, $1, $3, 1, $4, false, false, 'completed', '{"stage":"done","done":0,"total":null}', $5, 'user', 'usr_somebody')`,
    [jobId, JSON.stringify({ rules: { passes: [], openItems: { carryForward: false }, ...rules } }), summary],
  );
  await rows(
    `insert into results (created_at, id, organization_id, execution_id, epoch, position, outcome, conditions, source, target, search)
     select created_at, result, $1, $2, 0, place, outcome, '[]', source::jsonb, target::jsonb, ''
       from executions, (values ($3, 0, 'missing_in_target', '[{"id":"o7","amount":"7.00","currency":"EUR"}]', '[]'),
                                ($4, 1, 'missing_in_source', '[]', '[{"id":"p7","amount":"7.00","currency":"EUR"}]')) as r(result, place, outcome, source, target)
      where id = $2`,
    [order, payment],
  );
  await rows(
    `insert into result_sums (execution_id, organization_id, epoch, side, currency, outcome, carried, count, amount_minor)
     values ($2, $1, 0, 'source', 'EUR', 'missing_in_target', false, 1, 700), ($2, $1, 0, 'target', 'EUR', 'missing_in_source', false, 1, 700)`,
  );
  return { jobId, executionId: id, orderResult: order };
};
/** What is said of a run whose results have served their time. */
const gone = (rest: string): Refusal => ({
  what: 'a run whose results are kept no longer',
  status: 410,
  code: 'gone',
  ask: async (setting) => {
    const { executionId } = await unmatchedRun(setting.ours, setting);
    await setting.databases.rows('executions', 'update executions set results_dropped_at = now() where id = $1', [executionId]);
    return { path: `/v1/executions/${executionId}${rest}` };
  },
});
const unfinished = (rest: string): Refusal =>
  conflict('a run that has not ended', async (setting) => ({
    path: `/v1/executions/${(await waiting(setting.ours, setting)).id}${rest}`,
  }));
/** A job where more than this takes a second person. */
const limited = { approval: { above: { EUR: '1.00' } } };
const matchOf =
  (body: object, rules: object = {}) =>
  async (party: Party, setting: Setting): Promise<Wanted> => ({
    path: `/v1/executions/${(await unmatchedRun(party, setting, rules)).executionId}/matches`,
    body,
  });
const aMatch = async (party: Party, setting: Setting): Promise<string> => {
  const { executionId } = await unmatchedRun(party, setting);
  const path = `/v1/executions/${executionId}/matches`;
  return `${path}/${(await must(201, party.key.post(path, pair))).id}`;
};

/** What another person has resolved, and what waits for a second one to decide; or what this party has itself. */
const anApproval = async (
  party: Party,
  setting: Setting,
  status: 'pending' | 'rejected' = 'pending',
  maker = 'usr_somebody',
): Promise<string> => {
  const id = `apr_0${crockford(25)}`;
  await setting.databases.rows(
    'executions',
    `insert into approvals (id, organization_id, job_id, execution_id, exception_id, kind, request, said, status, requested_by_type, requested_by_id,
                            requested_person_id)
     values ($1, $2, $3, $4, $5, 'resolve', '{"kind":"resolve","resolution":"other","note":null}',
             jsonb_build_object('category', 'missing_in_target', 'reason', null, 'records', jsonb_build_array(jsonb_build_object('id', $5::text))),
             $6, 'user', $7, $7)`,
    [id, party.organizationId, party.jobId, party.executionId, await anException(party, setting), status, maker],
  );
  return id;
};
const ofApproval =
  (rest: string, body?: object, status: 'pending' | 'rejected' = 'pending') =>
  async (party: Party, setting: Setting): Promise<Wanted> => ({
    path: `/v1/approvals/${await anApproval(party, setting, status)}${rest}`,
    ...(body === undefined ? {} : { body }),
  });
/** The key of a party is its user's. */
const ofOwnApproval =
  (rest: string, body: object, status: 'pending' | 'rejected' = 'pending') =>
  async (party: Party, setting: Setting): Promise<Wanted> => {
    const { id } = await must(200, party.user.get('/v1/me'));
    return { path: `/v1/approvals/${await anApproval(party, setting, status, id)}${rest}`, body };
  };

const ownApproval = (rest: string): Refusal => ({
  what: 'what the same person has asked for',
  status: 403,
  code: 'forbidden',
  ask: (setting) => ofOwnApproval(rest, {})(setting.ours, setting),
});

const aRate = { base: 'EUR', quote: 'USD', date: '2026-04-01', rate: '1.0835', source: 'ECB' };
const setRates = (...rates: readonly object[]) => ({ path: '/v1/exchange-rates', body: { rates } });
const ofRate = async ({ key }: Party): Promise<Wanted> => {
  const { data } = await must(200, key.post('/v1/exchange-rates', setRates({ ...aRate, date: '2026-04-03' }).body));
  return { path: `/v1/exchange-rates/${data[0].id}` };
};

const bulk = (which: object): Wanted => ({ path: '/v1/exceptions/bulk-resolve', body: { ...which, resolution: 'other' } });
const bulkChange = (which: object): Wanted => ({ path: '/v1/exceptions/bulk-update', body: { severity: 'high', ...which } });

export const executionsCases = {
  uploadFile: {
    status: 201,
    ask: () => ({ path: '/v1/files?name=a.csv', raw: 'Id\n1\n', contentType: 'text/csv' }),
    refusals: [
      invalid('no body', '', () => ({ path: '/v1/files' })),
      invalid('a form without a file', 'file', () => ({
        path: '/v1/files',
        raw: '--line\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--line--\r\n',
        contentType: 'multipart/form-data; boundary=line',
      })),
    ],
  },
  listFiles: { status: 200, ask: () => ({ path: '/v1/files' }) },
  readFile: { status: 200, ask: ({ fileId }) => ({ path: `/v1/files/${fileId}` }) },
  deleteFile: {
    status: 204,
    ask: async ({ key }) => ({ path: `/v1/files/${await uploadOrders(key)}` }),
    refusals: [
      conflict('a file that a run still needs', async (setting) => ({
        path: `/v1/files/${(await waiting(setting.ours, setting)).fileId}`,
      })),
    ],
  },
  createExecution: {
    status: 202,
    ask: async ({ key, fileId }) => runOf(await newJob(key), inputs(fileId)),
    otherBody: (body) => ({ ...body, note: 'otherwise' }),
    refusals: [
      invalid('a file that nobody has', 'source.fileId', ({ ours }) => runOf(ours.jobId, inputs(nobodys('fil')))),
      invalid("another's file, which looks the same", 'source.fileId', ({ ours, theirs }) => runOf(ours.jobId, inputs(theirs.fileId))),
      invalid('records that the adapter does not take', 'target.records[0].amount', ({ ours }) =>
        runOf(ours.jobId, { ...inputs(ours.fileId), target: { records: [{ ...payments[0], amount: 'much' }] } }),
      ),
      conflict('a job that runs', async (setting) => runOf(await busyJob(setting.ours, setting), inputs(setting.ours.fileId))),
      conflict('a job that is archived', async ({ ours }) => {
        const id = await newJob(ours.key);
        await must(200, ours.key.post(`/v1/jobs/${id}/archive`));
        return runOf(id, inputs(ours.fileId));
      }),
    ],
  },
  tryRules: {
    status: 202,
    ask: ({ executionId }) => ({ path: `/v1/executions/${executionId}/try`, body: { rules: job.rules } }),
    otherBody: (body) => ({ ...body, note: 'otherwise' }),
    refusals: [
      invalid('rules that are none', 'rules.matching', ({ ours }) => ({
        path: `/v1/executions/${ours.executionId}/try`,
        body: { rules: { matching: [] } },
      })),
      conflict('a run that has not ended', async (setting) => ({
        path: `/v1/executions/${(await waiting(setting.ours, setting)).id}/try`,
        body: { rules: job.rules },
      })),
    ],
  },
  listExecutions: {
    status: 200,
    ask: () => ({ path: '/v1/executions' }),
    refusals: [
      invalid('a time that is none', 'since', () => ({ path: '/v1/executions?since=yesterday' })),
      invalid('a status that no run has, among others', 'status', () => ({ path: '/v1/executions?status=queued,lost' })),
    ],
  },
  readExecution: { status: 200, ask: of('') },
  cancelExecution: {
    status: 202,
    ask: async (party, setting) => ({ path: `/v1/executions/${(await waiting(party, setting)).id}/cancel` }),
    refusals: [conflict('cancelling what is over', ({ ours }) => of('/cancel')(ours))],
  },
  followExecution: { status: 200, ask: of('/events') },
  listResults: {
    status: 200,
    ask: of('/results'),
    refusals: [
      invalid('an outcome that does not exist', 'outcome', ({ ours }) => of('/results?outcome=lost')(ours)),
      unfinished('/results'),
      gone('/results'),
    ],
  },
  readReport: {
    status: 200,
    ask: of('/report?baseCurrency=USD'),
    refusals: [
      invalid('a currency that is none', 'baseCurrency', ({ ours }) => of('/report?baseCurrency=euro')(ours)),
      invalid('a day that does not exist', 'ratesOn', ({ ours }) => of('/report?baseCurrency=USD&ratesOn=2026-02-30')(ours)),
    ],
  },
  setExchangeRates: {
    status: 200,
    ask: () => setRates(aRate),
    otherBody: () => ({ rates: [{ ...aRate, rate: '1.09' }] }),
    refusals: [
      invalid('no rate', 'rates', () => setRates()),
      invalid('too many rates', 'rates', () => setRates(...Array.from({ length: 1_001 }, () => aRate))),
      invalid('a rate of nothing', 'rates[0].rate', () => setRates({ ...aRate, rate: '0.00' })),
      invalid('a rate below zero', 'rates[0].rate', () => setRates({ ...aRate, rate: '-1.08' })),
      invalid('a rate with too many digits', 'rates[0].rate', () => setRates({ ...aRate, rate: '1.0000000000001' })),
      invalid('a currency against itself', 'rates[0].quote', () => setRates({ ...aRate, quote: aRate.base })),
      invalid('a pair twice for one day', 'rates[1]', () => setRates(aRate, { ...aRate, rate: '1.09' })),
    ],
  },
  listExchangeRates: {
    status: 200,
    ask: async (party) => {
      await must(200, party.key.post('/v1/exchange-rates', setRates(aRate, { ...aRate, date: '2026-04-02' }).body));
      return { path: '/v1/exchange-rates' };
    },
    refusals: [
      invalid('a currency that is none', 'base', () => ({ path: '/v1/exchange-rates?base=euro' })),
      invalid('a day that does not exist', 'from', () => ({ path: '/v1/exchange-rates?from=2026-02-30' })),
      invalid('days that end before they begin', 'to', () => ({ path: '/v1/exchange-rates?from=2026-03-02&to=2026-03-01' })),
    ],
  },
  readExchangeRate: { status: 200, ask: ofRate },
  deleteExchangeRate: { status: 204, ask: ofRate },
  readFees: { status: 200, ask: of('/fees'), refusals: [unfinished('/fees'), gone('/fees')] },
  readTrend: {
    status: 200,
    ask: ({ jobId }) => ({ path: `/v1/reports/trend?jobId=${jobId}` }),
    refusals: [
      invalid('no job', 'jobId', () => ({ path: '/v1/reports/trend' })),
      invalid('a time that is none', 'since', ({ ours }) => ({ path: `/v1/reports/trend?jobId=${ours.jobId}&since=yesterday` })),
    ],
  },
  exportResults: {
    status: 200,
    ask: of('/export?format=csv'),
    refusals: [
      invalid('a format that does not exist', 'format', ({ ours }) => of('/export?format=pdf')(ours)),
      invalid('an outcome that does not exist', 'outcome', ({ ours }) => of('/export?outcome=lost')(ours)),
      unfinished('/export'),
      gone('/export'),
    ],
  },
  createMatch: {
    status: 201,
    ask: matchOf({ ...pair, note: 'the bank has another name for it' }),
    otherBody: (body) => ({ ...body, note: 'otherwise' }),
    others: [{ what: 'more than one person may match', status: 202, ask: (setting) => matchOf(pair, limited)(setting.ours, setting) }],
    refusals: [
      invalid('a record that does not exist', 'target[0]', (setting) => matchOf({ ...pair, target: ['p8'] })(setting.ours, setting)),
      invalid('a record of the other side', 'source[0]', (setting) => matchOf({ ...pair, source: ['p7'] })(setting.ours, setting)),
      invalid('a record twice', 'source[1]', (setting) => matchOf({ ...pair, source: ['o7', 'o7'] })(setting.ours, setting)),
      invalid('one side alone', 'target', (setting) => matchOf({ ...pair, target: [] })(setting.ours, setting)),
      conflict('records that are matched', async (setting) => ({
        path: (await aMatch(setting.ours, setting)).split('/').slice(0, -1).join('/'),
        body: pair,
      })),
    ],
  },
  deleteMatch: {
    status: 204,
    ask: async (party, setting) => ({ path: await aMatch(party, setting) }),
    refusals: [
      conflict('what is no match', async (setting) => {
        const { executionId, orderResult } = await unmatchedRun(setting.ours, setting);
        return { path: `/v1/executions/${executionId}/matches/${orderResult}` };
      }),
    ],
  },
  listApprovals: {
    status: 200,
    ask: () => ({ path: '/v1/approvals' }),
    refusals: [
      invalid('a state that does not exist', 'status', () => ({ path: '/v1/approvals?status=lost' })),
      invalid('an exception that can be none', 'exceptionId', () => ({ path: '/v1/approvals?exceptionId=1' })),
    ],
  },
  readApproval: { status: 200, ask: ofApproval('') },
  approveApproval: {
    status: 200,
    ask: ofApproval('/approve', { note: 'seen' }),
    otherBody: () => ({ note: 'otherwise' }),
    refusals: [
      ownApproval('/approve'),
      conflict('one that is rejected', (setting) => ofApproval('/approve', {}, 'rejected')(setting.ours, setting)),
    ],
  },
  rejectApproval: {
    status: 200,
    ask: ofApproval('/reject', { note: 'ask the bank' }),
    otherBody: () => ({ note: 'otherwise' }),
    refusals: [
      ownApproval('/reject'),
      conflict('one that is rejected', (setting) => ofApproval('/reject', {}, 'rejected')(setting.ours, setting)),
    ],
  },
  withdrawApproval: {
    status: 200,
    ask: ofOwnApproval('/withdraw', { note: 'paid after all' }),
    otherBody: () => ({ note: 'otherwise' }),
    refusals: [
      {
        what: 'what another person has asked for',
        status: 403,
        code: 'forbidden',
        ask: (setting) => ofApproval('/withdraw', {})(setting.ours, setting),
      },
      conflict('one that is rejected', (setting) => ofOwnApproval('/withdraw', {}, 'rejected')(setting.ours, setting)),
    ],
  },
  listExceptions: {
    status: 200,
    ask: () => ({ path: '/v1/exceptions' }),
    refusals: [
      invalid('an amount that is none', 'minAmount', () => ({ path: '/v1/exceptions?minAmount=1e400' })),
      invalid('somebody who is no user', 'assignee', () => ({ path: '/v1/exceptions?assignee=Ann' })),
      invalid('an urgency that does not exist', 'severity', () => ({ path: '/v1/exceptions?severity=huge' })),
    ],
  },
  summarizeExceptions: {
    status: 200,
    ask: () => ({ path: '/v1/exceptions/summary?status=open,in_progress' }),
    refusals: [
      invalid('an amount that is none', 'minAmount', () => ({ path: '/v1/exceptions/summary?minAmount=1e400' })),
      invalid('a page, of which it has none', 'limit', () => ({ path: '/v1/exceptions/summary?limit=10' })),
    ],
  },
  exportExceptions: {
    status: 200,
    ask: () => ({ path: '/v1/exceptions/export?format=csv' }),
    refusals: [
      invalid('a format that does not exist', 'format', () => ({ path: '/v1/exceptions/export?format=pdf' })),
      invalid('somebody who is no user', 'assignee', () => ({ path: '/v1/exceptions/export?assignee=Ann' })),
    ],
  },
  readException: { status: 200, ask: ({ exceptionId }) => ({ path: `/v1/exceptions/${exceptionId}` }) },
  explainException: { status: 200, ask: ({ exceptionId }) => ({ path: `/v1/exceptions/${exceptionId}/explain` }) },
  updateException: {
    status: 200,
    ask: ofException('', { status: 'in_progress', severity: 'high' }),
    otherBody: (body) => ({ ...body, severity: 'medium' }),
    refusals: [
      invalid('a change of nothing', '', (setting) => ofException('', {})(setting.ours, setting)),
      invalid('resolving in passing', 'status', (setting) => ofException('', { status: 'resolved' })(setting.ours, setting)),
      invalid('somebody who is no user', 'assigneeId', (setting) => ofException('', { assigneeId: 'Ann' })(setting.ours, setting)),
      invalid('somebody of another organization', 'assigneeId', async (setting) => {
        const { id } = (await setting.theirs.user.get('/v1/me')).body;
        return ofException('', { assigneeId: id })(setting.ours, setting);
      }),
      conflict('one that is resolved', (setting) => ofException('', { severity: 'high' }, 'resolved')(setting.ours, setting)),
    ],
  },
  commentException: {
    status: 201,
    ask: ofException('/comments', { text: 'the bank was asked' }),
    otherBody: () => ({ text: 'otherwise' }),
    refusals: [invalid('a comment that says nothing', 'text', (setting) => ofException('/comments', { text: ' ' })(setting.ours, setting))],
  },
  resolveException: {
    status: 200,
    ask: ofException('/resolve', { resolution: 'written_off', note: 'below a cent' }),
    otherBody: () => ({ resolution: 'other' }),
    others: [
      {
        what: 'more than one person may resolve',
        status: 202,
        ask: async (setting) => {
          const run = await unmatchedRun(setting.ours, setting, limited);
          return { path: `/v1/exceptions/${await anException(setting.ours, setting, 'open', run)}/resolve`, body: { resolution: 'other' } };
        },
      },
    ],
    refusals: [
      invalid('a resolution that only a run may find', 'resolution', (setting) =>
        ofException('/resolve', { resolution: 'matched_later' })(setting.ours, setting),
      ),
      conflict('one that is resolved', (setting) => ofException('/resolve', { resolution: 'other' }, 'resolved')(setting.ours, setting)),
    ],
  },
  resolveExceptions: {
    status: 200,
    ask: async (party, setting) => ({
      path: '/v1/exceptions/bulk-resolve',
      body: { ids: [await anException(party, setting), nobodys('exc')], resolution: 'written_off', note: 'below a cent' },
    }),
    otherBody: (body) => ({ ...body, resolution: 'other' }),
    refusals: [
      invalid('ids and a filter', '', () => bulk({ ids: [nobodys('exc')], filter: { status: 'open' } })),
      invalid('neither ids nor a filter', '', () => bulk({})),
      invalid('a filter that is none', 'filter', () => bulk({ filter: {} })),
      invalid('a filter that the list does not have', 'filter.colour', () => bulk({ filter: { colour: 'red' } })),
      invalid('too many ids', 'ids', () => bulk({ ids: Array.from({ length: 1_001 }, () => nobodys('exc')) })),
      invalid('an id of something else', 'ids[1]', () => bulk({ ids: [nobodys('exc'), nobodys('job')] })),
    ],
  },
  updateExceptions: {
    status: 200,
    ask: async (party, setting) => ({
      path: '/v1/exceptions/bulk-update',
      body: { ids: [await anException(party, setting), nobodys('exc')], status: 'in_progress' },
    }),
    otherBody: (body) => ({ ...body, severity: 'high' }),
    refusals: [
      invalid('ids and a filter', '', () => bulkChange({ ids: [nobodys('exc')], filter: { status: 'open' } })),
      invalid('neither ids nor a filter', '', () => bulkChange({})),
      invalid('a change of nothing', '', () => bulkChange({ ids: [nobodys('exc')], severity: undefined })),
      invalid('a filter that the list does not have', 'filter.colour', () => bulkChange({ filter: { colour: 'red' } })),
      invalid('resolving in passing', 'status', () => bulkChange({ ids: [nobodys('exc')], status: 'resolved' })),
      invalid('somebody of another organization', 'assigneeId', async (setting) => {
        const { id } = (await setting.theirs.user.get('/v1/me')).body;
        return bulkChange({ ids: [nobodys('exc')], assigneeId: id });
      }),
    ],
  },
  reopenException: {
    status: 200,
    ask: ofException('/reopen', undefined, 'resolved'),
    refusals: [conflict('one that is open', (setting) => ofException('/reopen')(setting.ours, setting))],
  },
} satisfies Cases;
