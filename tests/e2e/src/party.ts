/** Somebody who uses Settler: an organization with one of everything in it. */
import { type Scope, scopes } from '@settler/contracts/scopes';
import { type Client, client, waitFor } from '@settler/harness';

export interface Party {
  readonly email: string;
  readonly password: string;
  readonly anonymous: Client;
  readonly user: Client;
  /** With a key that may do everything. */
  readonly key: Client;
  /** Another user, who has nothing to lose: with a password and a second factor that may be changed. */
  readonly spare: Client;
  readonly spareEmail: string;
  /** With a key that is for another address than ours. */
  readonly elsewhere: Client;
  /** With a key that may do everything but this. */
  readonly without: (scope: Scope) => Promise<Client>;
  readonly logIn: () => Promise<{ readonly accessToken: string; readonly refreshToken: string }>;
  readonly organizationId: string;
  readonly accessToken: string;
  readonly apiKey: string;
  readonly apiKeyId: string;
  readonly fileId: string;
  readonly jobId: string;
  readonly executionId: string;
  readonly exceptionId: string;
  readonly webhookId: string;
  readonly deliveryId: string;
}

export const ordersCsv = 'Id,Amount,Currency,Reference\no1,10.00,EUR,R1\no2,20.00,EUR,R2\n';
export const payments = [
  { id: 'p1', amount: '10.00', currency: 'EUR', reference: 'R1' },
  { id: 'p9', amount: '9.00', currency: 'EUR', reference: 'R9' },
];
export const job = {
  name: 'orders against payments',
  source: { adapter: 'csv', config: { fields: { id: 'Id', amount: 'Amount', currency: 'Currency', reference: 'Reference' } } },
  target: { adapter: 'records', config: {} },
  rules: { matching: [{ field: 'reference', type: 'exact' }] },
};

/** An answer that has to have this status, and its body. */
export const must = async (status: number, answer: ReturnType<Client['get']>) => {
  const { body, ...rest } = await answer;
  if (rest.status !== status) throw new Error(`expected ${status} and got ${rest.status}: ${JSON.stringify(body)}`);
  return body;
};

export const newJob = async (key: Client): Promise<string> => (await must(201, key.post('/v1/jobs', job))).id;

export const uploadOrders = async (key: Client, name = 'orders.csv'): Promise<string> =>
  (await must(201, key.post(`/v1/files?name=${name}`, undefined, { raw: ordersCsv, headers: { 'content-type': 'text/csv' } }))).id;

export const createParty = async (url: string, name: string, receiverUrl: string): Promise<Party> => {
  const anonymous = client(url);
  const account = { email: `${name}@example.com`, password: 'a password of several words' };
  const { accessToken, organization } = await must(201, anonymous.post('/v1/auth/register', { ...account, organizationName: name }));
  const user = client(url, { token: accessToken });
  const spareEmail = `spare-${account.email}`;
  const spare = await must(201, anonymous.post('/v1/auth/register', { ...account, email: spareEmail, organizationName: `spare ${name}` }));
  const newKey = async (wanted: readonly Scope[], more = {}) =>
    must(201, user.post('/v1/api-keys', { name: 'of a test', scopes: wanted, ...more }));
  const { key: apiKey, id: apiKeyId } = await newKey(['*']);
  const key = client(url, { apiKey });
  const bound = await newKey(['*'], { allowedIps: ['192.0.2.0/24'] });
  const webhook = await must(201, key.post('/v1/webhooks', { url: receiverUrl, events: ['execution.completed'] }));
  const fileId = await uploadOrders(key);
  const jobId = await newJob(key);
  const started = await must(202, key.post(`/v1/jobs/${jobId}/executions`, { source: { fileId }, target: { records: payments } }));
  await waitFor(async () => (await key.get(`/v1/executions/${started.id}`)).body.status === 'completed', {
    what: 'the execution',
    timeoutMs: 60_000,
  });
  const [exception] = (await must(200, key.get('/v1/exceptions'))).data;
  const delivery = await waitFor(async () => (await key.get(`/v1/webhooks/${webhook.id}/deliveries`)).body.data[0], {
    what: 'a delivery',
    timeoutMs: 60_000,
  });
  const limited = new Map<Scope, Promise<Client>>();
  return {
    ...account,
    anonymous,
    user,
    spare: client(url, { token: spare.accessToken }),
    spareEmail,
    key,
    elsewhere: client(url, { apiKey: bound.key }),
    without: (scope) => {
      const known =
        limited.get(scope) ??
        newKey(scopes.filter((other) => other !== scope && other !== '*')).then((made) => client(url, { apiKey: made.key }));
      limited.set(scope, known);
      return known;
    },
    logIn: () => must(200, anonymous.post('/v1/auth/login', account)),
    organizationId: organization.id,
    accessToken,
    apiKey,
    apiKeyId,
    fileId,
    jobId,
    executionId: started.id,
    exceptionId: exception.id,
    webhookId: webhook.id,
    deliveryId: delivery.id,
  };
};
