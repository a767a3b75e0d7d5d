/**
 * Requests that nobody thought of, made from what the system says of itself: whatever comes, the answer is one that the reference
 * describes, and never that it is our fault. `npm run fuzz` makes ten thousand; FUZZ_SEED repeats what a failure names.
 */
import { sharedSystem } from '@settler/harness';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Databases, openDatabases } from '../src/databases.ts';
import { changed, type Described, type Recipe, recipesOf } from '../src/fuzz/recipes.ts';
import type { Schema } from '../src/fuzz/values.ts';
import { createParty } from '../src/party.ts';
import { type Receiver, startReceiver } from '../src/receiver.ts';
import type { Setting, Wanted } from '../src/routes/case.ts';
import { type Compare, isDeclared, type Operation, readOperations, readReference } from '../src/routes/descriptions.ts';
import { problemFaults, type Subject, send, withQuery } from '../src/routes/probe.ts';
import { subjectOf } from '../src/routes/subject.ts';

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 150);
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_401);
/** Between two of them the organization is a new one: some requests take its key, its jobs or its members away. */
const perOrganization = 250;
const atOnce = 6;
/** What is longer does not fit into the head of a request, and says nothing of the route. */
const inAddressMax = 1_000;

let receiver: Receiver;
let databases: Databases;
let url: string;
let operations: ReadonlyMap<string, Operation>;
let compare: Compare;
let recipes: readonly Recipe[];

beforeAll(async () => {
  const { island, system } = await sharedSystem();
  receiver = await startReceiver();
  databases = await openDatabases(island);
  url = system.url;
  [operations, compare] = await Promise.all([readOperations(island), readReference(url)]);
  const document = (await (await fetch(`${url}/openapi.json`)).json()) as {
    readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  };
  const lookup = (reference: string): Schema => document.components.schemas[reference.split('/').at(-1) ?? ''] ?? {};
  const described = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  recipes = fc.sample(fc.oneof(...described.map((operation) => recipesOf(operation, lookup))), { numRuns: requests, seed });
});
afterAll(async () => {
  await Promise.all([receiver.close(), databases.close()]);
});

/** Texts go into an address as they are where they are one, and else escaped. */
const inAddress = (text: string): string => {
  const short = text.slice(0, inAddressMax);
  return /^[\w.~%-]+$/.test(short) ? short : encodeURIComponent(short.toWellFormed());
};

const withIds = (path: string, template: string, ids: Recipe['ids']): string => {
  const [plain = '', query] = path.split('?', 2);
  const given = plain.split('/');
  let next = 0;
  const parts = template.split('/').map((part, index) => {
    if (!part.startsWith('{')) return part;
    const other = ids[next];
    next += 1;
    return other === undefined || other === null ? given[index] : inAddress(other);
  });
  return parts.join('/') + (query === undefined ? '' : `?${query}`);
};

const requestOf = async (recipe: Recipe, subject: Subject, setting: Setting): Promise<Wanted> => {
  const right = await subject.known.ask(setting.ours, setting);
  const queries = Object.entries(recipe.query).map(
    ([name, value]) => `${name}=${encodeURIComponent(value.slice(0, inAddressMax).toWellFormed())}`,
  );
  const path = withIds(right.path, subject.route.path, recipe.ids);
  const asked = queries.length === 0 ? path : withQuery(path, queries.join('&'));
  const headers = { ...right.headers, ...recipe.headers };
  if (!recipe.beginsRight && recipe.body !== undefined) return { path: asked, body: recipe.body, headers };
  return { ...right, path: asked, headers, ...(right.body === undefined ? {} : { body: changed(right.body, recipe.changes) }) };
};

test(`none of ${requests} requests is answered with our fault, or with what the reference does not describe (seed ${seed})`, async () => {
  const faults: string[] = [];
  const statuses = new Map<number, number>();

  const ask = async (recipe: Recipe, number: number, setting: Setting): Promise<void> => {
    const subject = subjectOf(operations, recipe.operationId);
    const { name, route, operation } = subject;
    // What a right request needs first may have been taken away by an earlier one. That is not what is looked for.
    const wanted = await requestOf(recipe, subject, setting).catch(() => undefined);
    if (wanted === undefined) return;
    const answer = await send(subject, setting.ours[recipe.who], wanted).catch((error: unknown) => String(error));
    const found =
      typeof answer === 'string'
        ? [answer]
        : [
            ...(answer.status >= 500 ? ['it is our fault'] : []),
            ...(isDeclared(operation, answer.status) ? [] : ['the reference has no such status']),
            ...problemFaults(answer),
            ...compare(name, answer),
          ];
    if (typeof answer !== 'string') statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    const told = typeof answer === 'string' ? '' : `${answer.status} ${JSON.stringify(answer.body)?.slice(0, 300)}`;
    const sent = JSON.stringify({ body: wanted.body ?? wanted.raw, headers: wanted.headers, who: recipe.who })?.slice(0, 600);
    for (const fault of found) faults.push(`${number}: ${route.method} ${wanted.path.slice(0, 300)} ${sent}\n   ${told}\n   ${fault}`);
  };

  for (let from = 0; from < recipes.length; from += perOrganization) {
    const [ours, theirs] = await Promise.all([
      createParty(url, `fuzz-${seed}-${from}`, receiver.url),
      createParty(url, `fuzzed-${seed}-${from}`, receiver.url),
    ]);
    const waiting = recipes.slice(from, from + perOrganization).map((recipe, index) => ({ recipe, number: from + index }));
    const work = async (): Promise<void> => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        await ask(next.recipe, next.number, { url, ours, theirs, databases });
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  }
  expect(faults.slice(0, 20).join('\n\n')).toBe('');
  // Else they were all turned away at the door, and nothing behind it was asked anything.
  expect(statuses.get(200) ?? 0, JSON.stringify(Object.fromEntries(statuses))).toBeGreaterThan(requests / 20);
}, 900_000);
