import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/testing/longest-first.ts';
import { hasRedis } from './tests/harness/src/servers/redis-server.ts';

// Sources are run as they are: the condition makes every workspace import resolve to src, so that no test needs a build.
// Not `import` or `module`: vitest hands these on to Node, whose require() would then be given ES modules.
const conditions = ['@settler/source', 'node'];
const source = {
  resolve: { conditions: ['@settler/source'] },
  ssr: { resolve: { conditions } },
  // The environment that vitest runs its global setup in.
  environments: { __vitest__: { resolve: { conditions } } },
};

export default defineConfig({
  test: {
    // Processes: V8 has died of isolates that come and go as threads of one, and then vitest itself is gone, its report with it.
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    // Projects given as folders would not inherit the conditions above; inline ones do.
    projects: [
      {
        extends: true,
        ...source,
        test: {
          name: 'pure',
          sequence: { groupOrder: 0 },
          isolate: false,
          // They say what is true, not how fast: a machine that is busy with something else must not fail them.
          testTimeout: 60_000,
          hookTimeout: 60_000,
          include: [
            'packages/{contracts,wasm,adapters,local}/test/**/*.test.ts',
            'services/*/test/domain/**/*.test.ts',
            'scripts/test/*.test.ts',
          ],
        },
      },
      {
        extends: true,
        ...source,
        test: {
          name: 'service',
          sequence: { groupOrder: 1 },
          isolate: false,
          // Beside it runs the project below. Both wait more than they work: two processes each keep two cores busy.
          maxWorkers: 2,
          globalSetup: ['tests/harness/src/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          include: ['services/{executions,identity,jobs}/test/*.test.ts', 'tests/harness/test/**/*.test.ts'],
        },
      },
      {
        extends: true,
        ...source,
        test: {
          name: 'e2e',
          sequence: { groupOrder: 2 },
          isolate: false,
          // No more: each may have a system of its own, and five services share the machine's cores with the tests.
          maxWorkers: 2,
          globalSetup: ['tests/harness/src/global-setup.ts'],
          testTimeout: 120_000,
          hookTimeout: 240_000,
          // The last ones are here because the other project would take longer.
          include: [
            'tests/e2e/test/**/*.test.ts',
            'scripts/test/start/*.test.ts',
            'packages/{chassis,provision}/test/**/*.test.ts',
            'services/{gateway,webhooks}/test/*.test.ts',
          ],
          exclude: [...configDefaults.exclude, ...(hasRedis() ? [] : ['services/gateway/test/shared-limits.test.ts'])],
        },
      },
    ],
  },
});
