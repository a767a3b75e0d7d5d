import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publicEvents } from '@settler/contracts/events/catalogue';
import { services, statefulServices } from '@settler/contracts/services';
import { consumers } from '@settler/contracts/streams';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';

const pageOf = (service: string) => readFileSync(join(root, 'services', service, 'README.md'), 'utf8');

const tablesOf = (service: string): string[] => {
  const folder = join(root, 'services', service, 'migrations');
  const files = readdirSync(folder).filter((file) => /^\d{4}-.*\.ts$/.test(file));
  const migrations = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('\n');
  const named = (statement: string): string[] =>
    [...migrations.matchAll(new RegExp(`${statement} table (\\w+)`, 'g'))].map(([, table = '']) => table);
  const gone = new Set(named('drop'));
  return named('create').filter((table) => table !== 'if' && !gone.has(table));
};

const section = (service: string) => pageOf(service).split('## Tables')[1]?.split('\n## ')[0] ?? '';

describe('the page of a service', () => {
  it.each(statefulServices)('lists every table that %s owns', (service) => {
    const tables = tablesOf(service);
    expect(tables.length).toBeGreaterThan(2);
    const listed = [...section(service).matchAll(/`(\w+)`(?=[^|\n]*\|)/g)].map(([, name = '']) => name);
    for (const table of tables) expect(listed, 'a table that the page does not list').toContain(table);
  });

  it.each(statefulServices)('says what %s publishes and consumes', (service) => {
    const page = pageOf(service);
    for (const { type } of publicEvents.filter((event) => event.service === service)) expect(page).toContain(`\`${type}\``);
    for (const { durable } of Object.values(consumers).filter((consumer) => consumer.service === service))
      expect(page).toContain(`\`${durable}\``);
  });

  it.each(services)('leads to the settings of %s', (service) => {
    expect(pageOf(service)).toContain(`docs/reference/configuration.md#${service}-alone`);
  });
});
