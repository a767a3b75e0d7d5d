import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exampleFiles } from '../demo/example-files.ts';

test('the committed examples are what the generator makes; `node scripts/demo/write-examples.ts` writes them again', () => {
  for (const { path, content } of exampleFiles()) expect(readFileSync(path, 'utf8') === content, path).toBe(true);
});
