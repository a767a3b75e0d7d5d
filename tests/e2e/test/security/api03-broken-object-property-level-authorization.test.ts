/** API3:2023. What may not be written is refused by its name, wherever in a body it stands; what may not be read is in no answer. */
import { sharedSystem } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../../src/databases.ts';
import { must } from '../../src/party.ts';
import type { Case, Setting } from '../../src/routes/case.ts';
import { cases } from '../../src/routes/cases.ts';
import { clientOf, send } from '../../src/routes/probe.ts';
import { type Attack, attack, everyRoute } from '../../src/security/attack.ts';

let world: Attack;
let databases: Databases;
let setting: Setting;

beforeAll(async () => {
  world = await attack();
  const { island } = await sharedSystem();
  databases = await openDatabases(island);
  setting = { ...world, databases };
});
afterAll(() => databases.close());

const known: Readonly<Record<string, Case>> = cases;

/** Fields of ours that somebody would like to set, with what they would be set to. */
const wished = (): Record<string, unknown> => ({
  id: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: world.theirs.organizationId,
  organization_id: world.theirs.organizationId,
  userId: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6',
  role: 'owner',
  isAdmin: true,
  scopes: ['*'],
  status: 'archived',
  version: 99,
  revision: 99,
  createdBy: { type: 'user', id: 'usr_01jqv8m0c4e7r9t2w5y8a1b3d6' },
  createdAt: '2001-01-01T00:00:00.000Z',
  updatedAt: '2001-01-01T00:00:00.000Z',
  nextRunAt: '2001-01-01T00:00:00.000Z',
  secret: 'whsec_AAAA',
  passwordHash: 'x',
  emailVerified: true,
  disabledReason: null,
  constructor: { prototype: { isAdmin: true } },
  prototype: { isAdmin: true },
  toString: 'x',
});

/** Every object of a body, with the way to it. Columns and records are the customer's own, and so are names in them. */
const objectsIn = (value: unknown, path: readonly (string | number)[] = []): (readonly (string | number)[])[] => {
  if (typeof value !== 'object' || value === null) return [];
  if (path.at(-1) === 'records' || path.at(-1) === 'fields') return [];
  const inner = Object.entries(value).flatMap(([name, item]) => objectsIn(item, [...path, Array.isArray(value) ? Number(name) : name]));
  return Array.isArray(value) ? inner : [path, ...inner];
};

const changedAt = (value: unknown, path: readonly (string | number)[], more: object): unknown => {
  const [name, ...rest] = path;
  if (name === undefined) return { ...(value as object), ...more };
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  (copy as Record<string | number, unknown>)[name] = changedAt((value as Record<string | number, unknown>)[name], rest, more);
  return copy;
};

const textOf = (path: readonly (string | number)[]): string =>
  path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '');

const withBody = everyRoute.filter(([, { method, stream }]) => (method === 'POST' || method === 'PATCH') && stream === 'none');

test.each(withBody)('%s takes no field that is not its own, at the top or inside', async (name, route) => {
  const subject = { name, route, known: known[name], operation: { operationId: name, responses: {} } };
  if (subject.known === undefined) throw new Error(`${name} has no cases`);
  const wanted = await subject.known.ask(setting.ours, setting);
  const ask = (body: unknown) => send({ ...subject, known: subject.known as Case }, clientOf(setting.ours, wanted), { ...wanted, body });
  if (wanted.body === undefined) {
    expect(await ask(wished())).toMatchObject({ status: 400, body: { code: 'validation_failed' } });
    return;
  }
  for (const path of objectsIn(wanted.body)) {
    const { status, body } = await ask(changedAt(wanted.body, path, wished()));
    expect([textOf(path), status]).toEqual([textOf(path), 400]);
    const refused = body.errors.map((error: { path: string }) => error.path);
    // What it takes by this name in another meaning is looked at below.
    for (const field of ['organization_id', 'revision', 'isAdmin', 'createdBy', 'createdAt', 'passwordHash', 'constructor', 'toString'])
      expect(refused, `${name} at ${textOf(path)}`).toContain(textOf([...path, field]));
  }
});

describe('a name that a body shares with what it may not set', () => {
  test('moves nobody to another organization, and makes nobody more than whoever asks', async () => {
    const { ours, theirs } = world;
    const limited = await ours.without('members:write');
    const attempts = [
      await ours.anonymous.post('/v1/auth/login', { email: ours.email, password: ours.password, organizationId: theirs.organizationId }),
      await ours.key.post('/v1/invitations', { email: 'owner-to-be@example.com', role: 'owner' }),
      await limited.post('/v1/api-keys', { name: 'more', scopes: ['*'] }),
      await limited.post('/v1/api-keys', { name: 'more', scopes: ['members:write'] }),
      await limited.patch(`/v1/api-keys/${ours.apiKeyId}`, { name: 'mine now' }),
      await limited.post(`/v1/api-keys/${ours.apiKeyId}/rotate`, { graceSeconds: 0 }),
    ];
    expect(attempts.map(({ status }) => status)).toEqual([404, 403, 403, 403, 403, 403]);
  });

  test('moves no job, endpoint or exception through states that have routes of their own', async () => {
    const { ours } = world;
    for (const [path, status] of [
      [`/v1/jobs/${ours.jobId}`, 'archived'],
      [`/v1/webhooks/${ours.webhookId}`, 'disabled'],
      [`/v1/exceptions/${ours.exceptionId}`, 'resolved'],
    ] as const)
      expect(await ours.key.patch(path, { status })).toMatchObject({
        status: 400,
        body: { errors: expect.arrayContaining([expect.objectContaining({ path: 'status' })]) },
      });
  });
});

describe('what is read', () => {
  const reads = everyRoute.filter(([, { method, stream }]) => method === 'GET' && stream !== 'events');

  test('holds no secret, no hash, and nothing of another organization', async () => {
    const { ours, theirs } = world;
    const secretHeader = 'a header value that is nobody’s business'.replace('’', "'");
    await must(200, ours.key.patch(`/v1/webhooks/${ours.webhookId}`, { headers: { 'x-token': secretHeader } }));
    const hashes = (await databases.rows('identity', 'select password_hash from users')).map((row) => row.password_hash as string);
    const keyHashes = (await databases.rows('identity', 'select hash from api_keys')).map((row) => row.hash as string);
    const sealed = (await databases.rows('webhooks', 'select secret from endpoints')).map((row) => String(row.secret));
    const private_ = [ours.apiKey, theirs.apiKey, ours.password, secretHeader, ...hashes, ...keyHashes, ...sealed];
    const foreign = [theirs.organizationId, theirs.jobId, theirs.fileId, theirs.executionId, theirs.webhookId, theirs.email];
    const faults: string[] = [];
    for (const [name, route] of reads) {
      const wanted = await known[name]?.ask(ours, setting);
      if (wanted === undefined) throw new Error(`${name} has no cases`);
      const { status, body, headers } = await clientOf(ours, wanted).get(wanted.path);
      const text = JSON.stringify([body, ...headers]);
      if (status !== 200) faults.push(`${name} answered ${status}`);
      for (const value of [...private_, ...foreign]) if (text.includes(value)) faults.push(`${route.path} tells ${value.slice(0, 20)}`);
      if (/"(password\w*|password_hash|secret|hash_key|private\w*|locator|sealed\w*|ciphertext|totp\w*)":/i.test(text.replaceAll('\\', '')))
        faults.push(`${route.path} has a field that sounds like a secret`);
    }
    expect(faults).toEqual([]);
  });
});
