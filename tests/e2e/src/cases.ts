/**
 * One entry per route: how to ask for it rightly, and what else can go wrong with it than goes wrong with every route. What does go
 * wrong with every route of a kind (no credentials, wrong scope, somebody else's id, a malformed body) follows from the contract's
 * table and from the route's description, and is asked of all of them by the test.
 */
import type { RouteName } from '@settler/contracts/routes';
import { job, must, type Party, payments, uploadOrders } from './party.ts';

export interface Wanted {
  readonly path: string;
  readonly body?: unknown;
  /** Sent as it is, with its type. */
  readonly raw?: string;
  readonly contentType?: string;
  /** Who asks, where it is not the key. */
  readonly as?: 'user' | 'anonymous' | 'elsewhere';
}

export interface Case {
  readonly status: number;
  /** A right request; it may make what it needs first. */
  readonly ask: (party: Party) => Promise<Wanted> | Wanted;
  /** Another right body in place of this one: under the same Idempotency-Key it is refused. */
  readonly otherBody?: (body: object) => unknown;
  /** What only this route refuses. */
  readonly refusals?: readonly { readonly what: string; readonly status: number; readonly code: string; readonly ask: Case['ask'] }[];
}

const invented = (() => {
  let count = 0;
  return (): string => {
    count += 1;
    return `invented-${count}@example.com`;
  };
})();

const nobodysOrganization = 'org_01jqv8m0c4e7r9t2w5y8a1b3d6';
/** A key that may be used from one address only, used from another. */
const fromElsewhere = (path: string, body?: unknown) => ({
  what: 'a key from an address that it is not for',
  status: 403,
  code: 'forbidden',
  ask: (): Wanted => ({ path, body, as: 'elsewhere' }),
});
const newJob = async ({ key }: Party): Promise<string> => (await must(201, key.post('/v1/jobs', job))).id;
const newWebhook = async ({ key }: Party) =>
  (await must(201, key.post('/v1/webhooks', { url: 'http://127.0.0.1:9/nobody', events: ['*'] }))).id as string;
const newApiKey = async ({ user }: Party) =>
  (await must(201, user.post('/v1/api-keys', { name: 'spare', scopes: ['jobs:read'] }))).id as string;
const move =
  (name: 'pause' | 'resume' | 'archive') =>
  async (party: Party, before: readonly string[] = []) => {
    const id = await newJob(party);
    for (const earlier of before) await must(200, party.key.post(`/v1/jobs/${id}/${earlier}`));
    return { path: `/v1/jobs/${id}/${name}` };
  };
const registration = (email: string) => ({ email, password: 'a password of several words', organizationName: 'Invented' });
const ofExecution =
  (rest: string) =>
  ({ executionId }: Party) => ({ path: `/v1/executions/${executionId}${rest}` });

export const cases: Readonly<Record<RouteName, Case>> = {
  register: {
    status: 201,
    ask: () => ({ path: '/v1/auth/register', body: registration(invented()), as: 'anonymous' }),
    otherBody: (body) => ({ ...body, organizationName: 'Otherwise' }),
    refusals: [
      {
        what: 'an address that is taken',
        status: 409,
        code: 'conflict',
        ask: ({ email }) => ({ path: '/v1/auth/register', body: registration(email), as: 'anonymous' }),
      },
      {
        what: 'a password that is too short',
        status: 400,
        code: 'validation_failed',
        ask: () => ({ path: '/v1/auth/register', body: { ...registration(invented()), password: 'short' }, as: 'anonymous' }),
      },
    ],
  },
  login: {
    status: 200,
    ask: ({ email, password }) => ({ path: '/v1/auth/login', body: { email, password }, as: 'anonymous' }),
    otherBody: (body) => ({ ...body, password: 'another password of several words' }),
    refusals: [
      {
        what: 'a wrong password',
        status: 401,
        code: 'unauthenticated',
        ask: ({ email }) => ({ path: '/v1/auth/login', body: { email, password: 'not the password at all' }, as: 'anonymous' }),
      },
      {
        what: 'an address that nobody has',
        status: 401,
        code: 'unauthenticated',
        ask: () => ({ path: '/v1/auth/login', body: { email: invented(), password: 'not the password at all' }, as: 'anonymous' }),
      },
    ],
  },
  refresh: {
    status: 200,
    ask: async ({ logIn }) => ({ path: '/v1/auth/refresh', body: { refreshToken: (await logIn()).refreshToken }, as: 'anonymous' }),
    otherBody: (body) => ({ ...body, organizationId: nobodysOrganization }),
    refusals: [
      {
        what: 'a token that never was',
        status: 401,
        code: 'unauthenticated',
        ask: () => ({ path: '/v1/auth/refresh', body: { refreshToken: 'str_nothing' }, as: 'anonymous' }),
      },
    ],
  },
  logout: {
    status: 204,
    ask: async ({ logIn }) => ({ path: '/v1/auth/logout', body: { refreshToken: (await logIn()).refreshToken } }),
    otherBody: () => ({ refreshToken: 'another' }),
    refusals: [fromElsewhere('/v1/auth/logout', { refreshToken: 'whatever' })],
  },
  readMe: { status: 200, ask: () => ({ path: '/v1/me' }), refusals: [fromElsewhere('/v1/me')] },
  listMyOrganizations: { status: 200, ask: () => ({ path: '/v1/me/organizations', as: 'user' }) },
  readOrganization: { status: 200, ask: () => ({ path: '/v1/organization' }) },
  createApiKey: {
    status: 201,
    ask: () => ({ path: '/v1/api-keys', body: { name: 'one', scopes: ['jobs:read'] } }),
    otherBody: (body) => ({ ...body, name: 'two' }),
    refusals: [
      {
        what: 'a scope that does not exist',
        status: 400,
        code: 'validation_failed',
        ask: () => ({ path: '/v1/api-keys', body: { name: 'one', scopes: ['jobs:fly'] } }),
      },
      {
        what: 'an end in the past',
        status: 400,
        code: 'validation_failed',
        ask: () => ({ path: '/v1/api-keys', body: { name: 'one', scopes: ['jobs:read'], expiresAt: '2020-01-01T00:00:00.000Z' } }),
      },
    ],
  },
  listApiKeys: { status: 200, ask: () => ({ path: '/v1/api-keys' }) },
  readApiKey: { status: 200, ask: ({ apiKeyId }) => ({ path: `/v1/api-keys/${apiKeyId}` }) },
  revokeApiKey: { status: 204, ask: async (party) => ({ path: `/v1/api-keys/${await newApiKey(party)}` }) },
  listAuditEvents: { status: 200, ask: () => ({ path: '/v1/audit-events' }) },
  verifyAuditTrail: { status: 200, ask: () => ({ path: '/v1/audit-events/verify' }) },
  readKeySet: { status: 200, ask: () => ({ path: '/.well-known/jwks.json', as: 'anonymous' }) },

  createJob: {
    status: 201,
    ask: () => ({ path: '/v1/jobs', body: job }),
    otherBody: () => ({ ...job, name: 'another' }),
    refusals: [
      {
        what: 'rules that compare everything with everything',
        status: 400,
        code: 'validation_failed',
        ask: () => ({ path: '/v1/jobs', body: { ...job, rules: { matching: [{ field: 'currency', type: 'exact' }] } } }),
      },
    ],
  },
  listJobs: { status: 200, ask: () => ({ path: '/v1/jobs' }) },
  readJob: { status: 200, ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}` }) },
  updateJob: {
    status: 200,
    ask: async (party) => ({ path: `/v1/jobs/${await newJob(party)}`, body: { name: 'renamed' } }),
    otherBody: () => ({ name: 'otherwise' }),
  },
  pauseJob: {
    status: 200,
    ask: move('pause'),
    refusals: [{ what: 'pausing twice', status: 409, code: 'conflict', ask: (party) => move('pause')(party, ['pause']) }],
  },
  resumeJob: {
    status: 200,
    ask: (party) => move('resume')(party, ['pause']),
    refusals: [{ what: 'resuming what runs', status: 409, code: 'conflict', ask: move('resume') }],
  },
  archiveJob: {
    status: 200,
    ask: move('archive'),
    refusals: [{ what: 'archiving twice', status: 409, code: 'conflict', ask: (party) => move('archive')(party, ['archive']) }],
  },
  listJobVersions: { status: 200, ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}/versions` }) },
  readJobVersion: {
    status: 200,
    ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}/versions/1` }),
    refusals: [
      { what: 'a version that never was', status: 404, code: 'not_found', ask: ({ jobId }) => ({ path: `/v1/jobs/${jobId}/versions/99` }) },
    ],
  },
  listAdapters: { status: 200, ask: () => ({ path: '/v1/adapters' }) },
  readAdapter: {
    status: 200,
    ask: () => ({ path: '/v1/adapters/csv' }),
    refusals: [{ what: 'a name that no adapter has', status: 404, code: 'not_found', ask: () => ({ path: '/v1/adapters/abacus' }) }],
  },

  uploadFile: {
    status: 201,
    ask: () => ({ path: '/v1/files?name=a.csv', raw: 'Id\n1\n', contentType: 'text/csv' }),
  },
  listFiles: { status: 200, ask: () => ({ path: '/v1/files' }) },
  readFile: { status: 200, ask: ({ fileId }) => ({ path: `/v1/files/${fileId}` }) },
  deleteFile: { status: 204, ask: async ({ key }) => ({ path: `/v1/files/${await uploadOrders(key)}` }) },
  createExecution: {
    status: 202,
    ask: async (party) => ({
      path: `/v1/jobs/${await newJob(party)}/executions`,
      body: { source: { fileId: party.fileId }, target: { records: payments } },
    }),
    otherBody: (body) => ({ ...body, note: 'otherwise' }),
    refusals: [
      {
        what: 'a file that is not there',
        status: 400,
        code: 'validation_failed',
        ask: ({ jobId }) => ({
          path: `/v1/jobs/${jobId}/executions`,
          body: { source: { fileId: 'fil_01jqv8m0c4e7r9t2w5y8a1b3d6' }, target: { records: payments } },
        }),
      },
      {
        what: 'a job that is archived',
        status: 409,
        code: 'conflict',
        ask: async (party) => {
          const id = await newJob(party);
          await must(200, party.key.post(`/v1/jobs/${id}/archive`));
          return { path: `/v1/jobs/${id}/executions`, body: { source: { fileId: party.fileId }, target: { records: payments } } };
        },
      },
    ],
  },
  listExecutions: { status: 200, ask: () => ({ path: '/v1/executions' }) },
  readExecution: { status: 200, ask: ofExecution('') },
  cancelExecution: {
    status: 202,
    ask: async ({ key, ...party }) => {
      // The engine reads this as slowly as it comes, which leaves the time to cancel it: a run that waits behind another one.
      const id = await newJob({ key, ...party });
      const start = { source: { fileId: party.fileId }, target: { records: payments }, overlap: true, dryRun: true };
      const { id: executionId } = await must(202, key.post(`/v1/jobs/${id}/executions`, start));
      return { path: `/v1/executions/${executionId}/cancel` };
    },
    refusals: [{ what: 'cancelling what is over', status: 409, code: 'conflict', ask: ofExecution('/cancel') }],
  },
  followExecution: { status: 200, ask: ofExecution('/events') },
  listResults: { status: 200, ask: ofExecution('/results') },
  readReport: { status: 200, ask: ofExecution('/report') },
  listExceptions: { status: 200, ask: () => ({ path: '/v1/exceptions' }) },
  readException: { status: 200, ask: ({ exceptionId }) => ({ path: `/v1/exceptions/${exceptionId}` }) },

  createWebhook: {
    status: 201,
    ask: () => ({ path: '/v1/webhooks', body: { url: 'http://127.0.0.1:9/nobody', events: ['*'] } }),
    otherBody: (body) => ({ ...body, url: 'http://127.0.0.1:9/somebody' }),
    refusals: [
      {
        what: 'an address inside of networks that are not public',
        status: 400,
        code: 'validation_failed',
        ask: () => ({ path: '/v1/webhooks', body: { url: 'http://10.0.0.1/', events: ['*'] } }),
      },
    ],
  },
  listWebhooks: { status: 200, ask: () => ({ path: '/v1/webhooks' }) },
  readWebhook: { status: 200, ask: ({ webhookId }) => ({ path: `/v1/webhooks/${webhookId}` }) },
  updateWebhook: {
    status: 200,
    ask: async (party) => ({ path: `/v1/webhooks/${await newWebhook(party)}`, body: { status: 'paused' } }),
    otherBody: () => ({ description: 'otherwise' }),
  },
  deleteWebhook: { status: 204, ask: async (party) => ({ path: `/v1/webhooks/${await newWebhook(party)}` }) },
  listDeliveries: { status: 200, ask: ({ webhookId }) => ({ path: `/v1/webhooks/${webhookId}/deliveries` }) },
  readDelivery: { status: 200, ask: ({ deliveryId }) => ({ path: `/v1/deliveries/${deliveryId}` }) },
  listEventTypes: { status: 200, ask: () => ({ path: '/v1/event-types' }) },
};
