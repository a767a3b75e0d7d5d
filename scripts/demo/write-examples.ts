/** Writes examples/shop-month again from its seed: run it when the generator changed, and commit what it made. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { exampleFiles, exampleFolder } from './example-files.ts';

mkdirSync(exampleFolder, { recursive: true });
for (const { path, content } of exampleFiles()) {
  writeFileSync(path, content);
  console.log(`${path}: ${content.split('\n').length - 2} rows`);
}
