import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { adapterNamed, catalogue, catalogueEntry } from '../src/catalogue.ts';
import { failureOf, readRows } from './reading.ts';

describe('the catalogue', () => {
  it('lists every adapter once, by name', () => {
    expect(catalogue.map(({ name }) => name)).toEqual(['csv', 'records']);
    expect(adapterNamed('csv')?.title).toBe('CSV file');
    expect(adapterNamed('telepathy')).toBeUndefined();
    expect(adapterNamed('constructor')).toBeUndefined();
  });

  // jobs stores and shows configurations as they were sent. It has to encrypt and mask before the first secret may be one of its fields.
  it('has no adapter whose configuration holds secrets', () => {
    expect(catalogue.flatMap(({ secretFields }) => secretFields)).toEqual([]);
  });

  it('describes the forms of a mapping in JSON Schema', () => {
    const csv = adapterNamed('csv');
    if (csv === undefined) throw new Error('there is no csv adapter');
    const { configSchema } = catalogueEntry(csv);
    expect(configSchema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      required: ['fields'],
      properties: { fields: { properties: { date: { anyOf: [{ type: 'string' }, { properties: { format: { type: 'string' } } }, {}] } } } },
    });
  });

  it('loads no reader before the first read', () => {
    const script = `
      const loaded = [];
      const { registerHooks } = await import('node:module');
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
      const { adapterNamed, checkConfig } = await import('./catalogue.ts');
      checkConfig(adapterNamed('csv'), { content: 'a\\n', fields: { reference: 'a' } });
      process.stdout.write(JSON.stringify(loaded.filter((url) => /packages.adapters.src/.test(url))));
    `;
    const output = execFileSync(process.execPath, ['--conditions=@settler/source', '--input-type=module', '-e', script], {
      cwd: fileURLToPath(new URL('../src', import.meta.url)),
      encoding: 'utf8',
    });
    const loaded: string[] = JSON.parse(output);
    expect(loaded.filter((url) => url.endsWith('/csv/definition.ts'))).toHaveLength(1);
    expect(loaded.filter((url) => /\/(csv|records)\/reader\.ts$/.test(url))).toEqual([]);
  });

  it('refuses to open an adapter that it does not list', async () => {
    expect(await failureOf(readRows('telepathy', {}))).toMatchObject({ code: 'invalid_config' });
  });
});
