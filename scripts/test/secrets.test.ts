import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { readComposeFile } from './deployment/compose-file.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settler-secrets-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

const run = async (...args: string[]) => {
  const child = spawn(process.execPath, ['--conditions=@settler/source', 'scripts/secrets.ts', ...args], { cwd: root });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { stdout, stderr, code };
};
const variablesIn = (file: string) =>
  Object.fromEntries(file.split('\n').flatMap((line) => (/^[A-Z]/.test(line) ? [line.split(/=(.*)/s, 2) as [string, string]] : [])));

// Each case starts processes, which on a busy machine takes seconds.
describe('npm run secrets', { timeout: 60_000 }, () => {
  it('writes for Compose what docker-compose.yml wants, for its owner alone, and never over what is there', async () => {
    const file = join(directory, '.env');
    expect(await run('compose', '--file', file)).toMatchObject({ code: 0, stderr: '' });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => readComposeFile(variablesIn(readFileSync(file, 'utf8')))).not.toThrow();

    writeFileSync(file, 'mine');
    expect(await run('compose', '--file', file)).toMatchObject({ code: 1, stderr: expect.stringContaining('stays as it is') });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('prints them where there is nothing to write to, other ones each time', async () => {
    const [one, other] = [(await run('compose', '--print')).stdout, (await run('compose', '--print')).stdout];
    expect(() => readComposeFile(variablesIn(one))).not.toThrow();
    expect(variablesIn(one)['ENCRYPTION_KEY']).not.toBe(variablesIn(other)['ENCRYPTION_KEY']);
  });

  it('prints Secrets for Kubernetes with the broker where it is said to be', async () => {
    const { stdout } = await run('kubernetes', '--broker', 'nats.elsewhere:4222');
    const { kind, items } = JSON.parse(stdout) as {
      kind: string;
      items: { metadata: { name: string }; stringData: Record<string, string> }[];
    };
    expect(kind).toBe('List');
    const jobs = items.find(({ metadata }) => metadata.name === 'settler-jobs');
    expect(jobs?.stringData['NATS_JOBS_URL']).toMatch(/^nats:\/\/settler_jobs:[\w-]{32}@nats\.elsewhere:4222$/);
  });

  it('says how it is used when it is used otherwise', async () => {
    for (const args of [['helm'], ['compose', '--unknown']]) {
      expect(await run(...args)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('npm run secrets -- compose') });
    }
  });
});
