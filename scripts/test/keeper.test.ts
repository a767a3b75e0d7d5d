import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Launch } from '@settler/local/processes/launch';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { createKeeper } from '../supervisor/keeper.ts';

const directory = mkdtempSync(join(tmpdir(), 'settler-keeper-'));
afterAll(() => rmSync(directory, { recursive: true }));

/** A process that is ready once it has written its id into a file. */
const launchOf = (name: string, program: string): Launch => {
  const file = join(directory, name);
  return {
    name,
    command: process.execPath,
    arguments: ['-e', program.replaceAll('READY', `require('node:fs').writeFileSync(${JSON.stringify(file)}, String(process.pid))`)],
    workingDirectory: directory,
    environment: {},
    stopSignal: 'SIGTERM',
    isReady: async (pid) => existsSync(file) && readFileSync(file, 'utf8') === String(pid),
  };
};

const keep = (launch: Launch, backoff = { firstMs: 1, maxMs: 4, steadyMs: 60_000 }) => {
  const pids: number[] = [];
  const said: string[] = [];
  const keeper = createKeeper(launch, { onLine: () => {}, onStarted: (pid) => pids.push(pid), say: (text) => said.push(text), backoff });
  return { keeper, pids, said };
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('a kept process', () => {
  it('is started again when it dies, and is gone when it is stopped', async () => {
    const { keeper, pids, said } = keep(launchOf('steady', 'READY; setInterval(() => {}, 1000)'));
    await keeper.start();
    const [first = 0] = pids;
    process.kill(first, 'SIGKILL');
    await vi.waitFor(
      () => expect(said).toEqual(['steady was ended by SIGKILL and is started again in 0.001 s.', 'steady answers again.']),
      5_000,
    );
    const [, second = 0] = pids;
    expect(isAlive(second)).toBe(true);
    await keeper.stop(5_000);
    expect([first, second].filter(isAlive)).toEqual([]);
    expect(pids).toHaveLength(2);
  });

  it('is started again ever later while it keeps dying', async () => {
    const { keeper, said } = keep(launchOf('dying', 'READY; setTimeout(() => process.exit(3), 100)'));
    await keeper.start();
    const deaths = () => said.filter((text) => text.includes('exited with code 3'));
    await vi.waitFor(() => expect(deaths().length).toBeGreaterThanOrEqual(4), 10_000);
    await keeper.stop(5_000);
    expect(
      deaths()
        .slice(0, 4)
        .map((text) => text.match(/in (\S+) s/)?.[1]),
    ).toEqual(['0.001', '0.002', '0.004', '0.004']);
  });

  it('is not started again when it never was ready, and says why', async () => {
    const { keeper, pids } = keep(launchOf('broken', `console.error('no such setting'); process.exit(2)`));
    await expect(keeper.start()).rejects.toThrow('broken exited with code 2 before it was ready\nno such setting');
    expect(pids).toHaveLength(1);
  });

  it('is killed when it does not stop in time', async () => {
    const { keeper, pids } = keep(launchOf('deaf', `process.on('SIGTERM', () => {}); READY; setInterval(() => {}, 1000)`));
    await keeper.start();
    await keeper.stop(100);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it('stays away when it is stopped while waiting to be started again', async () => {
    const { keeper, pids, said } = keep(launchOf('waiting', 'READY; setInterval(() => {}, 1000)'), {
      firstMs: 600_000,
      maxMs: 600_000,
      steadyMs: 600_000,
    });
    await keeper.start();
    process.kill(pids[0] ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(said).toHaveLength(1), 5_000);
    await keeper.stop(5_000);
    expect(pids).toHaveLength(1);
  });
});
