import { defineConfig } from 'vitest/config';

/** The tests of the matching engine alone, which need neither a database nor a broker. */
export default defineConfig({
  resolve: { conditions: ['@settler/source'] },
  ssr: { resolve: { conditions: ['@settler/source', 'node'] } },
  // They say what is true, not how fast: a machine that is busy with something else must not fail them.
  test: { testTimeout: 60_000, pool: 'threads', isolate: false, include: ['services/executions/test/domain/matching/**/*.test.ts'] },
});
