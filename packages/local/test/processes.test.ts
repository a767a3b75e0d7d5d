import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { birthOf } from '@settler/local/processes/birth';
import { type Launch, launchProcess, untilReady } from '@settler/local/processes/launch';
import { stopLeftovers } from '@settler/local/processes/leftovers';
import { freePorts, isFree } from '@settler/local/processes/ports';
import { describe, expect, it } from 'vitest';

const launchOf = (program: string): Launch => ({
  name: 'fixture',
  command: process.execPath,
  arguments: ['-e', program],
  workingDirectory: '/',
  environment: { ONLY: 'this' },
  stopSignal: 'SIGTERM',
  isReady: async () => false,
});

describe('a process', () => {
  it('is given its own environment and nothing of ours', async () => {
    const lines: string[] = [];
    const running = launchProcess(launchOf('console.log(JSON.stringify(process.env))'), (line) => lines.push(line));
    await running.exited;
    expect(JSON.parse(lines[0] ?? '')).toEqual({ ONLY: 'this' });
  });

  it('is heard line by line, to its last words', async () => {
    const lines: string[] = [];
    const program = `process.stdout.write('on'); process.stdout.write('e\\ntwo\\nthr'); process.stderr.write('no newline'); process.exitCode = 3`;
    const running = launchProcess(launchOf(program), (line, stream) => lines.push(`${stream} ${line}`));
    expect(await running.exited).toMatchObject({ code: 3, signal: null });
    expect(lines.sort()).toEqual(['stderr no newline', 'stdout one', 'stdout thr', 'stdout two']);
  });

  it('that cannot be started at all says so', async () => {
    const launch = { ...launchOf(''), command: '/no/such/program' };
    const running = launchProcess(launch, () => {});
    await expect(untilReady(launch, running, { timeoutMs: 5_000, lastLines: () => '' })).rejects.toThrow(/could not be started.*ENOENT/);
  });

  it('that hangs is given up on', async () => {
    const launch = launchOf('setInterval(() => {}, 1000)');
    const running = launchProcess(launch, () => {});
    await expect(untilReady(launch, running, { timeoutMs: 50, lastLines: () => 'the last line' })).rejects.toThrow(
      /not ready within 0.05 s\nthe last line/,
    );
    expect(await running.stop(5_000)).toMatchObject({ signal: 'SIGTERM' });
  });
});

describe('leftovers', () => {
  it('are asked first and killed when they do not listen', async () => {
    const deaf = spawn(process.execPath, ['-e', `process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)`]);
    await once(deaf.stdout, 'data');
    const exited = once(deaf, 'exit');
    const record = { pid: deaf.pid ?? 0, birth: birthOf(deaf.pid ?? 0) ?? '', stopSignal: 'SIGTERM' } as const;
    expect(await stopLeftovers([record, { ...record, birth: '1' }], 50)).toEqual([record]);
    expect(await exited).toEqual([null, 'SIGKILL']);
  });
});

describe('free ports', () => {
  it('are different and free, from the same start the same', async () => {
    const ports = await freePorts(5, 7_000);
    expect(new Set(ports).size).toBe(5);
    expect(await freePorts(5, 7_000)).toEqual(ports);
  });

  it('pass over those in use', async () => {
    const [first = 0] = await freePorts(1, 9_000);
    const server = createServer().listen(first, '127.0.0.1');
    await once(server, 'listening');
    expect(await isFree(first)).toBe(false);
    expect(await freePorts(1, 9_000)).not.toContain(first);
    server.close();
    await once(server, 'close');
  });
});
