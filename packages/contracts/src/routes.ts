/**
 * Every public route, once. The gateway forwards by this table, the services register by it and enforce its scopes,
 * OpenAPI and the tests are checked against it: a route that is not here does not exist.
 */
import type { Scope } from './scopes.ts';
import type { StatefulService } from './services.ts';

const kibibyte = 1024;
const mebibyte = 1024 * kibibyte;
const gibibyte = 1024 * mebibyte;

/** JSON bodies. */
const jsonBytesMax = mebibyte;
/** Those of nobody in particular, which a gateway holds while they come: names, passwords and tokens are short. */
const publicBytesMax = 16 * kibibyte;
/** Bodies that may carry records inline. */
const inlineRecords = { bodyBytesMax: 32 * mebibyte, bulkField: 'records', timeoutMs: 30_000 };
/** Uploaded files. */
const fileBytesMax = gibibyte;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** With parameters in braces: `/v1/jobs/{id}`. */
  readonly path: string;
  readonly service: StatefulService;
  /** `public` needs no credentials, `any` takes every credential, `user` refuses API keys. */
  readonly access: Scope | 'public' | 'any' | 'user';
  readonly summary: string;
  readonly bodyBytesMax: number;
  /** The list in the body that may be long: everything else together is at most 50,000 values. */
  readonly bulkField?: string;
  readonly timeoutMs: number;
  /**
   * Whether it takes access away, or shows what there is to take. Whoever is to be shut out may have used up the limit of the organization, so
   * that only the limit of who asks counts here.
   */
  readonly endsAccess: boolean;
  /** Whether an `Idempotency-Key` is honoured: every POST and PATCH. */
  readonly idempotent: boolean;
  /** Fields of the answer that are shown this once and left out of a replay, as dotted paths. */
  readonly secretFields: readonly string[];
  /** Of a download: what it may be. */
  readonly mediaTypes?: readonly string[];
  /** Bodies that are passed on as they come, in one direction or the other. */
  readonly stream: 'none' | 'upload' | 'download' | 'events';
}

type Options = Partial<Pick<Route, 'bodyBytesMax' | 'bulkField' | 'timeoutMs' | 'endsAccess' | 'secretFields' | 'mediaTypes' | 'stream'>>;

const route = (
  service: StatefulService,
  method: Route['method'],
  path: string,
  access: Route['access'],
  summary: string,
  options: Options = {},
): Route => ({
  service,
  method,
  path,
  access,
  summary,
  bodyBytesMax: access === 'public' ? publicBytesMax : jsonBytesMax,
  timeoutMs: 10_000,
  endsAccess: false,
  secretFields: [],
  stream: 'none',
  idempotent: method === 'POST' || method === 'PATCH',
  ...options,
});

const endsAccess = { endsAccess: true };
const tokens = ['accessToken', 'refreshToken'];

const exported = {
  timeoutMs: 60 * 60_000,
  mediaTypes: ['text/csv', 'application/jsonl', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  stream: 'download',
} as const satisfies Options;

export const routes = {
  register: route('identity', 'POST', '/v1/auth/register', 'public', 'Register an organization and its owner', { secretFields: tokens }),
  login: route('identity', 'POST', '/v1/auth/login', 'public', 'Log in', { secretFields: tokens }),
  refresh: route('identity', 'POST', '/v1/auth/refresh', 'public', 'Exchange a refresh token for a new pair', { secretFields: tokens }),
  logout: route('identity', 'POST', '/v1/auth/logout', 'any', 'End a session', endsAccess),
  readMe: route('identity', 'GET', '/v1/me', 'any', 'Who these credentials belong to'),
  listMyOrganizations: route('identity', 'GET', '/v1/me/organizations', 'user', 'The organizations you are a member of'),
  leaveOrganization: route('identity', 'DELETE', '/v1/me/organizations/{id}', 'user', 'Leave one of your organizations'),
  listMySessions: route('identity', 'GET', '/v1/me/sessions', 'user', 'List your sessions', endsAccess),
  endMySession: route('identity', 'DELETE', '/v1/me/sessions/{id}', 'user', 'End one of your sessions', endsAccess),
  changePassword: route('identity', 'POST', '/v1/me/password', 'user', 'Change your password; all your other sessions end', endsAccess),
  setUpTotp: route('identity', 'POST', '/v1/me/totp', 'user', 'Ask for a secret with which an authenticator makes one-time codes', {
    secretFields: ['secret', 'otpauthUri'],
  }),
  confirmTotp: route('identity', 'POST', '/v1/me/totp/confirm', 'user', 'Turn one-time codes on, with the first of them', {
    secretFields: ['recoveryCodes'],
  }),
  removeTotp: route('identity', 'DELETE', '/v1/me/totp', 'user', 'Turn one-time codes off'),
  forgetPassword: route('identity', 'POST', '/v1/auth/password/forgot', 'public', 'Ask for a mail with which to choose a new password'),
  resetPassword: route('identity', 'POST', '/v1/auth/password/reset', 'public', 'Choose a new password; all your sessions end'),
  readOrganization: route('identity', 'GET', '/v1/organization', 'members:read', 'Read the organization'),
  updateOrganization: route('identity', 'PATCH', '/v1/organization', 'members:write', 'Change the organization'),
  listMembers: route('identity', 'GET', '/v1/members', 'members:read', 'List the members', endsAccess),
  updateMember: route(
    'identity',
    'PATCH',
    '/v1/members/{userId}',
    'members:write',
    'Change the role of a member, or shut one out for a while',
    endsAccess,
  ),
  removeMember: route('identity', 'DELETE', '/v1/members/{userId}', 'members:write', 'Remove a member', endsAccess),
  exportMember: route(
    'identity',
    'GET',
    '/v1/members/{userId}/export',
    'members:write',
    'Export the personal data of somebody who is or was a member',
  ),
  eraseMember: route(
    'identity',
    'DELETE',
    '/v1/members/{userId}/personal-data',
    'members:write',
    'Remove a member, and erase the personal data of one who is or was a member',
  ),
  readErasure: route('identity', 'GET', '/v1/erasures/{id}', 'members:write', 'Read how far an erasure has come'),
  inviteMember: route('identity', 'POST', '/v1/invitations', 'members:write', 'Invite somebody by mail'),
  listInvitations: route('identity', 'GET', '/v1/invitations', 'members:read', 'List the invitations that stand open'),
  readInvitation: route('identity', 'GET', '/v1/invitations/{id}', 'members:read', 'Read an invitation that stands open'),
  withdrawInvitation: route('identity', 'DELETE', '/v1/invitations/{id}', 'members:write', 'Withdraw an invitation'),
  acceptInvitation: route('identity', 'POST', '/v1/invitations/accept', 'public', 'Accept an invitation, with the token of its mail', {
    secretFields: tokens,
  }),
  createApiKey: route('identity', 'POST', '/v1/api-keys', 'api-keys:write', 'Create an API key', { secretFields: ['key'] }),
  listApiKeys: route('identity', 'GET', '/v1/api-keys', 'api-keys:read', 'List API keys', endsAccess),
  readApiKey: route('identity', 'GET', '/v1/api-keys/{id}', 'api-keys:read', 'Read an API key'),
  updateApiKey: route('identity', 'PATCH', '/v1/api-keys/{id}', 'api-keys:write', 'Change an API key'),
  rotateApiKey: route('identity', 'POST', '/v1/api-keys/{id}/rotate', 'api-keys:write', 'Put a new key in the place of an API key', {
    secretFields: ['key'],
  }),
  revokeApiKey: route('identity', 'DELETE', '/v1/api-keys/{id}', 'api-keys:write', 'Revoke an API key', endsAccess),
  listAuditEvents: route('identity', 'GET', '/v1/audit-events', 'audit:read', 'Read the audit trail'),
  verifyAuditTrail: route('identity', 'GET', '/v1/audit-events/verify', 'audit:read', 'Verify the chain of the audit trail', {
    timeoutMs: 60_000,
  }),
  readKeySet: route('identity', 'GET', '/.well-known/jwks.json', 'public', 'The public keys that access tokens are signed with'),

  createJob: route('jobs', 'POST', '/v1/jobs', 'jobs:write', 'Create a job', inlineRecords),
  listJobs: route('jobs', 'GET', '/v1/jobs', 'jobs:read', 'List jobs'),
  readJob: route('jobs', 'GET', '/v1/jobs/{id}', 'jobs:read', 'Read a job'),
  updateJob: route('jobs', 'PATCH', '/v1/jobs/{id}', 'jobs:write', 'Change a job', inlineRecords),
  pauseJob: route('jobs', 'POST', '/v1/jobs/{id}/pause', 'jobs:write', 'Pause a job: its schedule rests; by hand it still runs'),
  resumeJob: route('jobs', 'POST', '/v1/jobs/{id}/resume', 'jobs:write', 'Resume a paused job'),
  archiveJob: route('jobs', 'POST', '/v1/jobs/{id}/archive', 'jobs:delete', 'Archive a job'),
  listJobVersions: route('jobs', 'GET', '/v1/jobs/{id}/versions', 'jobs:read', 'List the configurations a job has had'),
  readJobVersion: route('jobs', 'GET', '/v1/jobs/{id}/versions/{version}', 'jobs:read', 'Read one configuration of a job'),
  listAdapters: route('jobs', 'GET', '/v1/adapters', 'jobs:read', 'List the adapters'),
  readAdapter: route('jobs', 'GET', '/v1/adapters/{name}', 'jobs:read', 'Read an adapter'),

  uploadFile: route('executions', 'POST', '/v1/files', 'files:write', 'Upload a file', {
    bodyBytesMax: fileBytesMax,
    timeoutMs: 15 * 60_000,
    stream: 'upload',
  }),
  listFiles: route('executions', 'GET', '/v1/files', 'files:read', 'List files'),
  readFile: route('executions', 'GET', '/v1/files/{id}', 'files:read', 'Read what is known of a file'),
  deleteFile: route('executions', 'DELETE', '/v1/files/{id}', 'files:write', 'Delete a file'),
  createExecution: route('executions', 'POST', '/v1/jobs/{id}/executions', 'jobs:execute', 'Run a job', inlineRecords),
  tryRules: route('executions', 'POST', '/v1/executions/{id}/try', 'jobs:execute', 'Try other rules on the records of an execution'),
  listExecutions: route('executions', 'GET', '/v1/executions', 'executions:read', 'List executions'),
  readExecution: route('executions', 'GET', '/v1/executions/{id}', 'executions:read', 'Read an execution'),
  cancelExecution: route('executions', 'POST', '/v1/executions/{id}/cancel', 'executions:write', 'Cancel an execution'),
  followExecution: route('executions', 'GET', '/v1/executions/{id}/events', 'executions:read', 'Follow an execution', {
    timeoutMs: 15 * 60_000,
    stream: 'events',
  }),
  listResults: route('executions', 'GET', '/v1/executions/{id}/results', 'executions:read', 'List the results of an execution'),
  readReport: route('executions', 'GET', '/v1/executions/{id}/report', 'reports:read', 'Read the report of an execution', {
    timeoutMs: 30_000,
  }),
  readFees: route('executions', 'GET', '/v1/executions/{id}/fees', 'reports:read', 'Read the fees of an execution', { timeoutMs: 60_000 }),
  readTrend: route('executions', 'GET', '/v1/reports/trend', 'reports:read', 'Follow the executions of a job'),
  setExchangeRates: route('executions', 'POST', '/v1/exchange-rates', 'executions:write', 'Set exchange rates'),
  listExchangeRates: route('executions', 'GET', '/v1/exchange-rates', 'reports:read', 'List the exchange rates'),
  readExchangeRate: route('executions', 'GET', '/v1/exchange-rates/{id}', 'reports:read', 'Read an exchange rate'),
  deleteExchangeRate: route('executions', 'DELETE', '/v1/exchange-rates/{id}', 'executions:write', 'Delete an exchange rate'),
  exportResults: route('executions', 'GET', '/v1/executions/{id}/export', 'reports:export', 'Export the results of an execution', exported),
  createMatch: route('executions', 'POST', '/v1/executions/{id}/matches', 'exceptions:write', 'Match records by hand', {
    timeoutMs: 30_000,
  }),
  deleteMatch: route(
    'executions',
    'DELETE',
    '/v1/executions/{id}/matches/{resultId}',
    'exceptions:write',
    'Undo a match, whether a person or the rules made it',
    {
      timeoutMs: 30_000,
    },
  ),
  listApprovals: route('executions', 'GET', '/v1/approvals', 'exceptions:read', 'List what waits for a second person, or did'),
  readApproval: route('executions', 'GET', '/v1/approvals/{id}', 'exceptions:read', 'Read an approval'),
  approveApproval: route('executions', 'POST', '/v1/approvals/{id}/approve', 'exceptions:write', 'Approve what another settled', {
    timeoutMs: 30_000,
  }),
  rejectApproval: route('executions', 'POST', '/v1/approvals/{id}/reject', 'exceptions:write', 'Reject what another settled'),
  withdrawApproval: route('executions', 'POST', '/v1/approvals/{id}/withdraw', 'exceptions:write', 'Withdraw what you settled'),
  listExceptions: route('executions', 'GET', '/v1/exceptions', 'exceptions:read', 'List exceptions'),
  summarizeExceptions: route('executions', 'GET', '/v1/exceptions/summary', 'exceptions:read', 'Sum up exceptions', { timeoutMs: 30_000 }),
  exportExceptions: route('executions', 'GET', '/v1/exceptions/export', 'reports:export', 'Export exceptions', exported),
  readException: route('executions', 'GET', '/v1/exceptions/{id}', 'exceptions:read', 'Read an exception, its comments and its history'),
  updateException: route(
    'executions',
    'PATCH',
    '/v1/exceptions/{id}',
    'exceptions:write',
    'Assign, take up, weigh or dismiss an exception',
  ),
  commentException: route('executions', 'POST', '/v1/exceptions/{id}/comments', 'exceptions:write', 'Comment on an exception'),
  resolveException: route('executions', 'POST', '/v1/exceptions/{id}/resolve', 'exceptions:write', 'Resolve an exception'),
  reopenException: route('executions', 'POST', '/v1/exceptions/{id}/reopen', 'exceptions:write', 'Reopen a closed exception'),
  resolveExceptions: route('executions', 'POST', '/v1/exceptions/bulk-resolve', 'exceptions:write', 'Resolve many exceptions at once', {
    timeoutMs: 30_000,
  }),
  updateExceptions: route(
    'executions',
    'POST',
    '/v1/exceptions/bulk-update',
    'exceptions:write',
    'Assign, take up, weigh or dismiss many exceptions at once',
    { timeoutMs: 30_000 },
  ),
  explainException: route(
    'executions',
    'GET',
    '/v1/exceptions/{id}/explain',
    'exceptions:read',
    'Explain why a record has no counterpart',
    {
      timeoutMs: 60_000,
    },
  ),

  createWebhook: route('webhooks', 'POST', '/v1/webhooks', 'webhooks:write', 'Create a webhook endpoint', { secretFields: ['secret'] }),
  listWebhooks: route('webhooks', 'GET', '/v1/webhooks', 'webhooks:read', 'List webhook endpoints'),
  readWebhook: route('webhooks', 'GET', '/v1/webhooks/{id}', 'webhooks:read', 'Read a webhook endpoint'),
  updateWebhook: route('webhooks', 'PATCH', '/v1/webhooks/{id}', 'webhooks:write', 'Change a webhook endpoint'),
  deleteWebhook: route('webhooks', 'DELETE', '/v1/webhooks/{id}', 'webhooks:delete', 'Delete a webhook endpoint'),
  listDeliveries: route('webhooks', 'GET', '/v1/webhooks/{id}/deliveries', 'webhooks:read', 'List the deliveries of an endpoint'),
  readDelivery: route('webhooks', 'GET', '/v1/deliveries/{id}', 'webhooks:read', 'Read a delivery and its attempts'),
  listEventTypes: route('webhooks', 'GET', '/v1/event-types', 'webhooks:read', 'List the public events'),
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof routes;

/** The routes that a service serves. */
export const routesOf = (service: StatefulService): readonly (readonly [RouteName, Route])[] =>
  (Object.entries(routes) as [RouteName, Route][]).filter(([, definition]) => definition.service === service);

const patterns = (Object.entries(routes) as [RouteName, Route][]).map(([name, definition]) => ({
  name,
  definition,
  pattern: new RegExp(`^${definition.path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`),
}));

/** The routes at a concrete path, by method; empty where the path is nobody's. What is named is no parameter of another path. */
export const routesAt = (path: string): ReadonlyMap<string, readonly [RouteName, Route]> => {
  const matching = patterns.filter(({ pattern }) => pattern.test(path));
  const named = matching.filter(({ definition }) => definition.path === path);
  return new Map((named.length > 0 ? named : matching).map(({ name, definition }) => [definition.method, [name, definition]]));
};

/** What a router would take for a parameter: `GET /v1/invitations/accept` asks for no invitation that is called `accept`. */
export const notParameters: readonly Pick<Route, 'method' | 'path'>[] = patterns.flatMap(({ definition: { path } }) => {
  const methods = routesAt(path);
  return patterns
    .filter(({ pattern, definition: { method } }) => !path.includes('{') && pattern.test(path) && !methods.has(method))
    .map(({ definition: { method } }) => ({ method, path }));
});
