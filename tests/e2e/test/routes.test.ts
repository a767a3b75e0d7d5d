/**
 * Every route: rightly asked, and in each way that it can be asked wrongly. Which routes there are, what they take and what they
 * answer is what the running services say; most ways of asking follow from that and from the contract.
 */
import { type RouteName, routes } from '@settler/contracts/routes';
import { statefulServices } from '@settler/contracts/services';
import { client, createIsland, type Island, type System, startReplica, startSystem } from '@settler/harness';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { createParty } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';
import { accessProbes } from '../src/routes/access-probes.ts';
import { bodyProbes } from '../src/routes/body-probes.ts';
import type { Setting } from '../src/routes/case.ts';
import { cases } from '../src/routes/cases.ts';
import { type Compare, type Operation, readOperations, readReference } from '../src/routes/descriptions.ts';
import { gapsOf } from '../src/routes/gaps.ts';
import { clientOf, faultsOf, type Probe, type Subject, send } from '../src/routes/probe.ts';
import { repeatProbes } from '../src/routes/repeat-probes.ts';
import { subjectOf as findSubject } from '../src/routes/subject.ts';
import { away, broken, limited } from '../src/routes/trouble-probes.ts';

let island: Island;
let system: System;
let receiver: Receiver;
let databases: Databases;
let setting: Setting;
let operations: ReadonlyMap<string, Operation>;
let compare: Compare;

beforeAll(async () => {
  island = await createIsland();
  [system, receiver] = await Promise.all([startSystem(island), startReceiver()]);
  databases = await openDatabases(island);
  const [ours, theirs] = await Promise.all([
    createParty(system.url, 'ours', receiver.url),
    createParty(system.url, 'theirs', receiver.url),
  ]);
  setting = { url: system.url, ours, theirs, databases };
  [operations, compare] = await Promise.all([readOperations(island), readReference(system.url)]);
});
afterAll(async () => {
  await receiver.close();
  await databases.close();
  await island.dispose();
});

const names = Object.keys(routes) as RouteName[];
const subjectOf = (name: string): Subject => findSubject(operations, name);

const probesOf = (name: string): readonly Probe[] => {
  const subject = subjectOf(name);
  const { others = [], refusals: own = [] } = subject.known;
  const refusals = [...others, ...own].map(
    ({ ask, what, ...due }): Probe => ({
      ...due,
      what: `with ${what}`,
      ask: async (found) => {
        const wanted = await ask(found);
        return send(subject, clientOf(found.ours, wanted), wanted);
      },
    }),
  );
  return [...accessProbes(subject), ...bodyProbes(subject), ...repeatProbes(subject), ...refusals];
};

const faultsOfAll = async (subject: Subject, probes: readonly Probe[]): Promise<string[]> => {
  const faults: string[] = [];
  for (const probe of probes) faults.push(...(await faultsOf(subject, probe, setting, compare)));
  return faults;
};

describe('the cases', () => {
  test('are of every route that is served, and provoke every status that it says it answers with', () => {
    expect(gapsOf({ operations, cases, probesOf })).toEqual([]);
    expect([...operations.keys()].sort()).toEqual([...names].sort());
  });

  test('would be missed: a route and a status that nobody thought of are named', () => {
    const more = new Map(operations);
    more.set('flyToTheMoon', { operationId: 'flyToTheMoon', responses: { 200: {} } });
    more.set('readJob', { operationId: 'readJob', responses: { ...operations.get('readJob')?.responses, 418: {} } });
    more.delete('listJobs');
    expect(gapsOf({ operations: more, cases, probesOf })).toEqual([
      'listJobs has cases and is not served',
      'readJob declares 418, which nothing provokes',
      'flyToTheMoon is served and has no cases',
    ]);
    const odd = { status: 200, headers: new Headers({ 'content-type': 'application/json' }), body: { type: 'nobody' } };
    expect(compare('readMe', odd)).toContain("the answer's  must have required property 'organizationId'");
  });
});

test.each(names)('%s', async (name) => {
  expect(await faultsOfAll(subjectOf(name), probesOf(name))).toEqual([]);
});

test('a list that is filtered by what another organization has is empty', async () => {
  const { ours, theirs } = setting;
  for (const list of [
    `/v1/executions?jobId=${theirs.jobId}`,
    `/v1/exceptions?jobId=${theirs.jobId}`,
    `/v1/exceptions?executionId=${theirs.executionId}`,
    `/v1/audit-events?resource=${theirs.jobId}`,
    `/v1/audit-events?actor=${theirs.apiKeyId}`,
  ]) {
    const { status, body } = await ours.key.get(list);
    expect([list, status, body]).toEqual([list, 200, { data: [], nextCursor: null }]);
    expect((await theirs.key.get(list)).body.data, list).not.toEqual([]);
  }
});

describe('in trouble', () => {
  test('every route says that it was asked too often, and when to ask again', async () => {
    const strict = await startReplica(island, 'gateway', { RATE_LIMIT_DEFAULT: '1' });
    const { apiKey, accessToken } = setting.ours;
    for (const credentials of [{}, { apiKey }, { token: accessToken }]) {
      const path = 'apiKey' in credentials || 'token' in credentials ? '/v1/me' : '/.well-known/jwks.json';
      expect((await client(strict.url, credentials).get(path)).status).toBe(200);
    }
    const faults = await Promise.all(names.map(subjectOf).map((subject) => faultsOfAll(subject, [limited(subject, strict.url)])));
    await strict.stop();
    expect(faults.flat()).toEqual([]);
  });

  test.each(statefulServices)(
    'every route of %s whose database is broken says that it is our fault, and nothing of what it is',
    async (service) => {
      const subjects = names.map(subjectOf).filter(({ route }) => route.service === service);
      const probes = new Map<Subject, Probe>();
      for (const subject of subjects) probes.set(subject, await broken(subject, setting));
      const role = `${island.prefix}_${service}_app`;
      await databases.rows(service, `revoke usage on schema public from public, ${role}`);
      try {
        const faults: string[] = [];
        for (const [subject, probe] of probes) faults.push(...(await faultsOfAll(subject, [probe])));
        expect(faults).toEqual([]);
      } finally {
        await databases.rows(service, `grant usage on schema public to public, ${role}`);
      }
    },
  );

  // Identity last: without it the others' callers are known for a while only. And after this nothing is left to ask.
  test.each(statefulServices.toReversed())('every route of %s that is away says so, and when to ask again', async (service) => {
    await system.services[service].stop();
    const subjects = names.map(subjectOf).filter(({ route }) => route.service === service);
    const faults = await Promise.all(subjects.map((subject) => faultsOfAll(subject, [away(subject)])));
    expect(faults.flat()).toEqual([]);
  });
});
