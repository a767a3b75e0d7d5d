import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** The first test that fails ends a mutant: those that take longest are asked last. */
class ShortestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toReversed();
  }
}

/** The tests of the matching engine alone, which need neither a database nor a broker. */
export default defineConfig({
  resolve: { conditions: ['@settler/source'] },
  ssr: { resolve: { conditions: ['@settler/source', 'node'] } },
  test: {
    // They say what is true, not how fast: a machine that is busy with something else must not fail them.
    testTimeout: 300_000,
    pool: 'threads',
    isolate: false,
    include: ['services/executions/test/domain/matching/**/*.test.ts'],
    setupFiles: [fileURLToPath(new URL('../services/executions/test/domain/matching/bounded-properties.ts', import.meta.url))],
    sequence: { sequencer: ShortestFirst },
  },
});
