/** What the reference shows is right: its examples are taken by the running system, and no parameter or body is left unexplained. */
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { type Answer, type Client, client, sharedSystem, waitFor } from '@settler/harness';
import { beforeAll, describe, expect, test } from 'vitest';
import { must } from '../src/party.ts';
import { type Documented, type Example, readExamples } from '../src/routes/examples.ts';

let operations: readonly Documented[];
let owner: { readonly anonymous: Client; readonly user: Client; readonly key: Client };

beforeAll(async () => {
  const { system } = await sharedSystem();
  operations = await readExamples(system.url);
  const anonymous = client(system.url);
  const account = { email: 'examples@example.com', password: 'a password of several words', organizationName: 'examples' };
  const user = client(system.url, { token: (await must(201, anonymous.post('/v1/auth/register', account))).accessToken });
  const { key } = await must(201, user.post('/v1/api-keys', { name: 'of the examples', scopes: ['*'] }));
  owner = { anonymous, user, key: client(system.url, { apiKey: key }) };
});

describe('the reference', () => {
  test('explains every parameter', () => {
    const unexplained = operations.flatMap(({ name, parameters }) =>
      parameters.filter(({ description }) => description === undefined).map((parameter) => `${name}: ${parameter.name}`),
    );
    expect(operations.flatMap(({ parameters }) => parameters).length).toBeGreaterThan(100);
    expect(unexplained).toEqual([]);
  });

  test('says of every operation more than who may use it', () => {
    expect(operations.filter(({ description }) => description.split('\n\n').length < 2).map(({ name }) => name)).toEqual([]);
  });

  test('has an example of every JSON body', () => {
    const withBody = operations.filter(({ takesJson }) => takesJson);
    expect(withBody.length).toBeGreaterThan(20);
    expect(withBody.filter(({ bodies }) => bodies.length === 0).map(({ name }) => name)).toEqual([]);
  });

  test('explains every field of the bodies', () => {
    expect(operations.flatMap(({ unexplained }) => unexplained)).toEqual([]);
  });

  test('shows no body and no answer that differs from its schema', () => {
    const shown = operations.flatMap(({ name, bodies, answers }) => [...bodies, ...answers].map((example) => ({ name, example })));
    expect(shown.length).toBeGreaterThan(80);
    expect(shown.flatMap(({ name, example }) => example.faults().map((fault) => `${name}, ${example.name}: ${fault}`))).toEqual([]);
  });

  test('shows how jobs, executions, results, exceptions, reports, webhooks and deliveries look', () => {
    const read: readonly RouteName[] = [
      ...(['readJob', 'readExecution', 'listResults', 'listExceptions', 'readException'] as const),
      ...(['readReport', 'readWebhook', 'readDelivery'] as const),
    ];
    const shown = operations.filter(({ answers }) => answers.some(({ name }) => name === '200')).map(({ name }) => name);
    expect(read.filter((name) => !shown.includes(name))).toEqual([]);
  });
});

/** Bodies that are right and name what is not there, by what the answer says of them; all others have to be taken. */
const nobodys: Readonly<Record<string, number | { readonly path: string }>> = {
  'login, With a second factor, into one of several organizations': 404,
  'refresh, A new pair': 401,
  'refresh, Into another organization': 401,
  'changePassword, A new one': 401,
  'setUpTotp, Some time after the login': 401,
  'removeTotp, With a code': 404,
  'removeTotp, With a recovery code': 404,
  'confirmTotp, The first code': 409,
  'resetPassword, With the token of the mail': { path: 'token' },
  'acceptInvitation, With a new account': { path: 'token' },
  'acceptInvitation, With the account there is': { path: 'token' },
  'updateException, Take it up': { path: 'assigneeId' },
  'updateExceptions, All of a category to one person': { path: 'assigneeId' },
};

describe('the running system', () => {
  test('takes every body that the reference shows', async () => {
    const differing: string[] = [];
    for (const operation of operations) {
      for (const body of operation.bodies) {
        const about = `${operation.name}, ${body.name}`;
        const answer = await send(operation, body);
        const known = nobodys[about] ?? (operation.path.includes('{') ? 404 : undefined);
        const isRight =
          known === undefined
            ? answer.status < 300
            : typeof known === 'number'
              ? answer.status === known
              : answer.status === 400 && answer.body.errors.every(({ path }: { path: string }) => path === known.path);
        if (!isRight) differing.push(`${about}: ${answer.status} ${JSON.stringify(answer.body)}`);
        differing.push(...operation.faultsOf(answer).map((fault) => `${about}: ${fault}`));
      }
    }
    expect(differing).toEqual([]);
  });

  test('finds in the records of the examples what they are to show', async () => {
    const bodies = (name: RouteName) => new Map(operations.find((one) => one.name === name)?.bodies.map((one) => [one.name, one.value]));
    const { key } = owner;
    const job = await must(201, key.post('/v1/jobs', bodies('createJob').get('Records against records, by schedule')));
    const runOf = async (body: unknown) => {
      const { id } = await must(202, key.post(`/v1/jobs/${job.id}/executions`, body));
      return waitFor(async () => ((found) => found.completedAt !== null && found)(await must(200, key.get(`/v1/executions/${id}`))), {
        what: 'the execution',
        timeoutMs: 60_000,
      });
    };
    const runs = bodies('createExecution');
    expect(await runOf(runs.get('With the inputs that the job names'))).toMatchObject({
      status: 'completed',
      summary: { matched: 2, mismatched: 0 },
    });
    const other = await runOf(runs.get('By records'));
    expect(other).toMatchObject({ status: 'completed', summary: { matched: 2, missingInTarget: 1, missingInSource: 0 } });
    const [open] = (await must(200, key.get(`/v1/exceptions?executionId=${other.id}`))).data;
    expect(open).toMatchObject({ category: 'missing_in_target', amount: '30.00' });
    const resolution = bodies('resolveException').get('Its counterpart is late');
    expect(await must(200, key.post(`/v1/exceptions/${open.id}/resolve`, resolution))).toMatchObject({ status: 'resolved' });
    const tried = bodies('tryRules').get('A wider tolerance');
    await must(202, key.post(`/v1/executions/${other.id}/try`, tried));
  });
});

/** Where an id belongs there is one that nobody has: a body is looked at before what it is about. */
const send = ({ name, path }: Documented, { value }: Example): Promise<Answer> => {
  const { method, access }: Route = routes[name];
  const sender = access === 'public' ? owner.anonymous : access === 'user' ? owner.user : owner.key;
  const raw = { raw: JSON.stringify(value), headers: { 'content-type': 'application/json' } };
  if (method === 'DELETE') return sender.delete(path, raw);
  return method === 'PATCH' ? sender.patch(filled(name, path), value) : sender.post(filled(name, path), value);
};

const filled = (name: RouteName, path: string): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, parameter: string) => {
    const known = operations.find((one) => one.name === name)?.parameters.find((one) => one.name === parameter);
    const [, prefix = ''] = /^\^([a-z]{3})_/.exec(known?.pattern ?? '') ?? [];
    return `${prefix}_01jqv8m0c4e7r9t2w5y8a1b3d6`;
  });
