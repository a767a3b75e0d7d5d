import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root, runCommand } from '../check/command.ts';

const impure = [
  'Date.now()',
  'new Date()',
  'Math.random()',
  'performance.now()',
  'process.env',
  'fetch("http://localhost")',
  'crypto.randomUUID()',
  'setTimeout(String, 1)',
  'globalThis.Date',
  'import("./later.ts")',
];
const pure = 'new Date(Date.parse("2025-01-01") + Math.max(1, 2))';

const report = (text: string) => JSON.parse(text.slice(text.indexOf('{'))) as { readonly diagnostics: readonly Diagnostic[] };
interface Diagnostic {
  readonly location: { readonly path: string };
}

describe('domain code', () => {
  // The linter's own configuration, applied to files beside it: in the checkout they would have to be thrown away in time.
  const directory = mkdtempSync(join(tmpdir(), 'settler-purity-'));
  let faulty: ReadonlySet<string>;
  beforeAll(async () => {
    for (const path of ['biome.json', 'scripts/check/domain-is-pure.grit'])
      cpSync(join(root, path), join(directory, path), { recursive: true });
    for (const layer of ['domain', 'infrastructure']) {
      mkdirSync(join(directory, 'services/jobs/src', layer), { recursive: true });
      for (const [index, expression] of [...impure, pure].entries()) {
        writeFileSync(join(directory, `services/jobs/src/${layer}/${index}.ts`), `export const value = () => ${expression};\n`);
      }
    }
    const { stdout } = await runCommand('biome', ['lint', '--vcs-enabled=false', '--reporter=json', '--max-diagnostics=none', 'services'], {
      workingDirectory: directory,
    });
    faulty = new Set(report(stdout).diagnostics.map(({ location }) => location.path));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.each([...impure.entries()])('may not say %i: %s', (index) => {
    expect(faulty).toContain(`services/jobs/src/domain/${index}.ts`);
  });

  it('may work with the time it is given', () => {
    expect(faulty).not.toContain(`services/jobs/src/domain/${impure.length}.ts`);
  });

  it('is the only code that may not', () => {
    expect([...faulty].filter((path) => path.includes('infrastructure'))).toEqual([]);
  });
});
