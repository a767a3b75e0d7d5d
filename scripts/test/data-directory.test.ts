import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { birthOf } from '@settler/local/processes/birth';
import { afterAll, describe, expect, it } from 'vitest';
import { openDataDirectory } from '../supervisor/data-directory.ts';
import { openLogFile } from '../supervisor/log-files.ts';
import { createProcessList, stopListed } from '../supervisor/process-list.ts';
import { loadSecrets } from '../supervisor/secrets.ts';

const parent = mkdtempSync(join(tmpdir(), 'settler-data-'));
afterAll(() => rmSync(parent, { recursive: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('the data directory', () => {
  const path = join(parent, 'directory');

  it('belongs to one supervisor at a time', () => {
    const data = openDataDirectory(path);
    expect(() => openDataDirectory(path)).toThrow(`already running with this data directory, as process ${process.pid}`);
    data.release();
    openDataDirectory(path).release();
  });

  it('is kept out of a repository that it may be in', () => {
    expect(readFileSync(join(path, '.gitignore'), 'utf8')).toBe('*\n');
  });

  it('says which setting names it where it cannot be used', () => {
    const file = join(parent, 'file');
    writeFileSync(file, '');
    for (const inUse of [file, join(file, 'inside')])
      expect(() => openDataDirectory(inUse)).toThrow(`${inUse}, which SETTLER_DATA_DIR names`);
  });

  it('can be taken over from a supervisor that was killed', () => {
    for (const left of [JSON.stringify({ pid: process.pid, birth: '1' }), JSON.stringify({ pid: 4_194_304, birth: '1' }), '{"pi']) {
      writeFileSync(join(path, 'supervisor.json'), left);
      openDataDirectory(path).release();
    }
  });
});

describe('the secrets', () => {
  const file = join(parent, 'secrets.json');

  it('are made once, and for their owner alone', () => {
    const first = loadSecrets(file);
    chmodSync(file, 0o644);
    expect(loadSecrets(file)).toEqual(first);
    expect(modeOf(file)).toBe('600');
    expect(readdirSync(parent)).not.toContain('secrets.json.unfinished');
  });

  it('are never replaced when they are damaged', () => {
    const content = readFileSync(file, 'utf8');
    for (const damaged of [content.slice(0, 100), '{}', content.replace('postgresPassword', 'postgres')]) {
      writeFileSync(file, damaged);
      expect(() => loadSecrets(file)).toThrow(/is damaged/);
      expect(readFileSync(file, 'utf8')).toBe(damaged);
    }
  });
});

describe('a log file', () => {
  it('does not grow for ever, and is for its owner alone', () => {
    const log = openLogFile(parent, 'jobs', 100);
    for (let line = 0; line < 100; line += 1) log.add(`line ${line}`);
    log.close();
    log.add('too late');
    expect(statSync(join(parent, 'jobs.log')).size + statSync(join(parent, 'jobs.log.1')).size).toBeLessThan(250);
    expect(readFileSync(join(parent, 'jobs.log'), 'utf8')).toMatch(/line 99\n$/);
    expect(modeOf(join(parent, 'jobs.log'))).toBe('600');
  });
});

describe('the list of processes', () => {
  const file = join(parent, 'processes.json');
  const spawnSleeper = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });

  it('lets the next start stop what is still running', async () => {
    const sleeper = spawnSleeper();
    const pid = sleeper.pid ?? 0;
    const exited = once(sleeper, 'exit');
    const list = createProcessList(file);
    list.set('jobs', { pid, port: 4_000, stopSignal: 'SIGTERM' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ jobs: { pid, port: 4_000, stopSignal: 'SIGTERM', birth: birthOf(pid) } });
    expect(await stopListed(file, 5_000)).toEqual(['jobs']);
    await exited;
    expect(existsSync(file)).toBe(false);
  });

  it('does no harm to a process that was given the id of one that has ended', async () => {
    const stranger = spawnSleeper();
    const entry = { pid: stranger.pid, port: 4_000, birth: '1', stopSignal: 'SIGTERM' };
    writeFileSync(file, JSON.stringify({ jobs: entry }));
    expect(await stopListed(file, 5_000)).toEqual([]);
    expect(stranger.exitCode).toBeNull();
    expect(birthOf(stranger.pid ?? 0)).toBeDefined();
    const exited = once(stranger, 'exit');
    stranger.kill();
    await exited;
  });

  it('may be missing or damaged', async () => {
    expect(await stopListed(file, 5_000)).toEqual([]);
    writeFileSync(file, '{"jobs"');
    expect(await stopListed(file, 5_000)).toEqual([]);
  });
});
