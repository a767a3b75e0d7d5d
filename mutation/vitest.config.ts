import { defineConfig } from 'vitest/config';

/** The tests of the matching engine alone, which need neither a database nor a broker. */
export default defineConfig({
  resolve: { conditions: ['@settler/source'] },
  ssr: { resolve: { conditions: ['@settler/source', 'node'] } },
  test: { pool: 'threads', isolate: false, include: ['services/executions/test/domain/matching/**/*.test.ts'] },
});
