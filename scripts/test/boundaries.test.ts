import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cruise, cruise } from '../check/boundaries.ts';

const { forbidden } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs') as {
  readonly forbidden: readonly { readonly name: string }[];
};

const folders = ['packages', 'services', 'tests', 'scripts'];
const service = 'services/jobs/src';

/** One import that breaks each rule, and where it is. */
const violating: readonly { readonly rule: string; readonly from: string; readonly imports: string; readonly to: string }[] = [
  {
    rule: 'no-service-to-service',
    from: `${service}/infrastructure/neighbour.ts`,
    imports: '../../../identity/src/users.ts',
    to: 'services/identity/src/users.ts',
  },
  { rule: 'domain-is-pure', from: `${service}/domain/clever.ts`, imports: 'node:fs', to: 'fs' },
  { rule: 'domain-is-pure', from: `${service}/domain/modern.ts`, imports: 'kysely', to: 'node_modules/kysely/index.js' },
  {
    rule: 'domain-is-pure',
    from: `${service}/domain/upwards.ts`,
    imports: '../application/ports.ts',
    to: `${service}/application/ports.ts`,
  },
  {
    rule: 'application-knows-no-infrastructure',
    from: `${service}/application/hasty.ts`,
    imports: '../infrastructure/store.ts',
    to: `${service}/infrastructure/store.ts`,
  },
  {
    rule: 'routes-know-no-infrastructure',
    from: `${service}/routes/hasty.ts`,
    imports: '../infrastructure/store.ts',
    to: `${service}/infrastructure/store.ts`,
  },
  {
    rule: 'infrastructure-knows-no-routes',
    from: `${service}/infrastructure/backwards.ts`,
    imports: '../routes/jobs.ts',
    to: `${service}/routes/jobs.ts`,
  },
  { rule: 'contracts-is-a-leaf', from: 'packages/contracts/src/heavy.ts', imports: 'fastify', to: 'node_modules/fastify/index.js' },
  {
    rule: 'wasm-is-a-leaf',
    from: 'packages/wasm/src/curious.ts',
    imports: '../../contracts/src/money.ts',
    to: 'packages/contracts/src/money.ts',
  },
  {
    rule: 'chassis-knows-no-service',
    from: 'packages/chassis/src/curious.ts',
    imports: '../../../services/identity/src/users.ts',
    to: 'services/identity/src/users.ts',
  },
  {
    rule: 'adapters-know-no-service',
    from: 'packages/adapters/src/curious.ts',
    imports: '../../chassis/src/config.ts',
    to: 'packages/chassis/src/config.ts',
  },
  {
    rule: 'definitions-without-readers',
    from: 'packages/adapters/src/csv/definition.ts',
    imports: './reader.ts',
    to: 'packages/adapters/src/csv/reader.ts',
  },
  {
    rule: 'definitions-without-readers',
    from: `${service}/infrastructure/reading.ts`,
    imports: '../../../../packages/adapters/src/readers.ts',
    to: 'packages/adapters/src/readers.ts',
  },
  {
    rule: 'only-chassis-touches-the-broker',
    from: `${service}/infrastructure/loud.ts`,
    imports: '@nats-io/transport-node',
    to: 'node_modules/@nats-io/transport-node/index.js',
  },
  { rule: 'only-stores-touch-the-database', from: `${service}/retry.ts`, imports: 'pg', to: 'node_modules/pg/index.js' },
  { rule: 'tests-stay-outside', from: `${service}/infrastructure/tested.ts`, imports: 'vitest', to: 'node_modules/vitest/index.js' },
  {
    rule: 'nothing-needs-the-scripts',
    from: `${service}/infrastructure/start.ts`,
    imports: '../../../../packages/local/src/launch.ts',
    to: 'packages/local/src/launch.ts',
  },
  { rule: 'no-circular', from: `${service}/domain/egg.ts`, imports: './hen.ts', to: `${service}/domain/hen.ts` },
  { rule: 'no-unresolvable', from: `${service}/app.ts`, imports: './nowhere.ts', to: './nowhere.ts' },
];

/** What the violating files import, and imports that are allowed. */
const allowed: Readonly<Record<string, string>> = {
  'services/identity/src/users.ts': 'export const users = 1;',
  [`${service}/application/ports.ts`]: `import type { Job } from '../domain/job.ts';\nexport type Jobs = Job;`,
  [`${service}/infrastructure/store.ts`]: `import 'kysely';\nimport '../application/ports.ts';\nexport const store = 1;`,
  [`${service}/routes/jobs.ts`]: `import '../application/ports.ts';\nimport 'fastify';\nexport const jobs = 1;`,
  [`${service}/domain/job.ts`]: `import '../../../../packages/contracts/src/money.ts';\nimport '../../../../packages/wasm/src/module.ts';\nexport type Job = 1;`,
  [`${service}/domain/hen.ts`]: `import './egg.ts';\nexport const hen = 1;`,
  [`${service}/main.ts`]: `import './infrastructure/store.ts';\nimport '../../../packages/adapters/src/catalogue.ts';`,
  [`services/jobs/test/jobs.test.ts`]: `import 'vitest';\nimport '@nats-io/transport-node';\nimport '../../../packages/local/src/launch.ts';`,
  'services/executions/src/infrastructure/read.ts': `import '../../../../packages/adapters/src/readers.ts';`,
  'packages/contracts/src/money.ts': `import 'zod';\nexport const money = 1;`,
  'packages/wasm/src/module.ts': 'export const module = 1;',
  'packages/chassis/src/config.ts': `import '@nats-io/transport-node';\nimport '../../contracts/src/money.ts';\nexport const config = 1;`,
  'packages/adapters/src/csv/reader.ts': `import 'node:fs';\nexport const read = 1;`,
  'packages/adapters/src/readers.ts': `import './csv/reader.ts';\nexport const readers = 1;`,
  'packages/adapters/src/catalogue.ts': `export const load = () => import('./csv/reader.ts');`,
  'packages/local/src/launch.ts': `import 'node:child_process';\nexport const launch = 1;`,
  'scripts/start.ts': `import '../packages/local/src/launch.ts';`,
  'tests/e2e/test/a.test.ts': `import 'vitest';`,
};

const packages = ['kysely', 'pg', 'fastify', 'zod', 'vitest', '@nats-io/transport-node'];

const writeTree = (directory: string, files: Readonly<Record<string, string>>): void => {
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${content}\n`);
  }
};

describe('the rules of who may import whom', () => {
  const directory = mkdtempSync(join(tmpdir(), 'settler-boundaries-'));
  let result: Cruise;
  beforeAll(async () => {
    const installed = packages.flatMap((name) => [
      [`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' })],
      [`node_modules/${name}/index.js`, 'module.exports = 1;'],
    ]);
    const broken = violating.map(({ from, imports }) => [from, `import '${imports}';\nexport const value = 1;`]);
    writeTree(directory, { ...Object.fromEntries(installed), ...allowed, ...Object.fromEntries(broken) });
    result = await cruise(directory, folders);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each(violating)('$rule is broken by $from', ({ rule, from, to }) => {
    expect(result.violations).toContainEqual(expect.objectContaining({ rule, from, to }));
  });

  it('are each broken here, and each says why', () => {
    expect(new Set(violating.map(({ rule }) => rule))).toEqual(new Set(forbidden.map(({ name }) => name)));
    for (const { why } of result.violations) expect(why.length).toBeGreaterThan(40);
  });

  it('let through what is allowed', () => {
    const guilty = new Set(violating.map(({ from }) => from));
    expect(result.violations.filter(({ from }) => !guilty.has(from))).toEqual([]);
  });

  it('count what they looked at', () => {
    expect(result.moduleCount).toBe(Object.keys(allowed).length + violating.length);
  });
});
