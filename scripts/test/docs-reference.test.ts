import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { auditActions } from '@settler/contracts/audit-actions';
import { publicEventTypes } from '@settler/contracts/events/catalogue';
import { problemCodes } from '@settler/contracts/problems';
import { routes } from '@settler/contracts/routes';
import { services } from '@settler/contracts/services';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { referenceFaults, writeReference } from '../reference/pages.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'settler-reference-'));
  writeReference(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const page = (name: string) => readFileSync(join(folder, name), 'utf8');
const sourcesOf = (service: string): string => {
  const source = join(root, 'services', service, 'src');
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return files.map((file) => readFileSync(join(source, file), 'utf8')).join('\n');
};

describe('the reference', () => {
  it('names every route, event, problem and audit action, and the settings of every service', () => {
    for (const { method, path } of Object.values(routes)) expect(page('routes.md')).toContain(`\`${method} ${path}\``);
    for (const type of publicEventTypes) expect(page('events.md')).toContain(`### ${type}\n`);
    for (const problem of problemCodes) expect(page('errors.md')).toContain(`| \`${problem}\` |`);
    for (const action of Object.keys(auditActions)) expect(page('audit-actions.md')).toContain(`| \`${action}\` |`);
    for (const service of services) expect(page('configuration.md')).toContain(`## ${service} alone\n`);
  });

  it('names every metric that is told', () => {
    const told = services.flatMap((service) => [...sourcesOf(service).matchAll(/'(settler_[a-z_]+)'/g)].map(([, name]) => name));
    const chassis = ['metrics', 'messaging-metrics'].map((file) => readFileSync(join(root, `packages/chassis/src/${file}.ts`), 'utf8'));
    const everywhere = [...chassis.join('\n').matchAll(/'(settler_[a-z_]+)'/g)].map(([, name]) => name);
    expect(told.length).toBeGreaterThan(10);
    expect(everywhere).toHaveLength(4);
    for (const name of [...told, ...everywhere]) expect(page('metrics.md')).toContain(`| \`${name}\` |`);
  });

  it('is whole when it was just written', () => {
    expect(referenceFaults(folder)).toEqual([]);
  });

  it('is at fault where a page was changed, is missing or is nobody’s', () => {
    appendFileSync(join(folder, 'routes.md'), 'One more line.\n');
    rmSync(join(folder, 'events.md'));
    writeFileSync(join(folder, 'notes.md'), 'By hand.\n');
    writeFileSync(join(folder, 'errors.md'), page('errors.md').replace('# Errors', '# Mistakes'));
    expect(referenceFaults(folder)).toEqual([
      expect.stringMatching(/^docs\/reference\/routes\.md:\d+ says «One more line\.» where the code says «»\.$/),
      'docs/reference/events.md is missing.',
      'docs/reference/errors.md:1 says «# Mistakes» where the code says «# Errors».',
      'docs/reference/notes.md is written by hand, and this folder is generated.',
    ]);
    writeReference(folder);
    expect(referenceFaults(folder)).toEqual([]);
  });

  it('lists no audit action that its service never writes', () => {
    for (const [action, { service }] of Object.entries(auditActions)) {
      const [entity = '', event = ''] = action.split('.');
      const sources = sourcesOf(service);
      const isWritten = sources.includes(`'${action}'`) || (sources.includes(`\`${entity}.\${`) && sources.includes(`'${event}'`));
      expect(isWritten, action).toBe(true);
    }
  });
});
