import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { services } from '@settler/contracts/services';
import { waitFor } from '@settler/harness';
import { birthOf } from '@settler/local/processes/birth';
import { stopLeftovers } from '@settler/local/processes/leftovers';
import { afterAll, describe, expect, it } from 'vitest';
import { readyTimeoutMs, type StartedSettler, startSettler } from './start-settler.ts';

type Processes = Readonly<
  Record<string, { readonly pid: number; readonly port: number; readonly birth: string; readonly stopSignal: 'SIGTERM' | 'SIGINT' }>
>;

const data = mkdtempSync(join(tmpdir(), 'settler-start-'));
// Open to be passed through: else, when this is root, PostgreSQL's files go to a directory elsewhere that outlives the test.
chmodSync(data, 0o711);
const fileIn = (name: string) => join(data, name);
const processes = (): Processes => JSON.parse(readFileSync(fileIn('processes.json'), 'utf8'));
const isAlive = ({ pid, birth }: { readonly pid: number; readonly birth: string }) => birthOf(pid) === birth;

const start = () => startSettler(data);
const stopTimeoutMs = 10_000;

const saysReady = async (port: number): Promise<boolean> => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok;

afterAll(async () => {
  // Whatever a failed test has left.
  await stopLeftovers(Object.values(readProcesses()), 5_000);
  rmSync(data, { recursive: true, force: true });
});

const readProcesses = (): Processes => {
  try {
    return processes();
  } catch {
    return {};
  }
};

describe('npm start', () => {
  let settler: StartedSettler;

  it('starts everything, and keeps it running', async () => {
    settler = start();
    const url = await settler.ready();
    const first = processes();
    expect(Object.keys(first).sort()).toEqual([...services, 'nats', 'postgres'].sort());
    expect(url).toBe(`http://127.0.0.1:${first['gateway']?.port}`);
    for (const service of services) expect(await saysReady(first[service]?.port ?? 0), service).toBe(true);
    for (const file of ['secrets.json', 'processes.json', 'nats/nats.conf']) expect(statSync(fileIn(file)).mode & 0o077, file).toBe(0);

    const rival = start();
    expect(await rival.running.exited).toMatchObject({ code: 1 });
    expect(rival.said()).toContain('already running with this data directory');

    for (const name of ['jobs', 'nats', 'postgres']) {
      process.kill(first[name]?.pid ?? 0, 'SIGKILL');
      await waitFor(() => settler.said().includes(`${name} answers again.`), {
        what: `${name} to be started again`,
        timeoutMs: readyTimeoutMs,
      });
      expect(processes()[name]?.pid).not.toBe(first[name]?.pid);
    }
    for (const service of services) {
      await waitFor(() => saysReady(first[service]?.port ?? 0), { what: `${service} to be ready again`, timeoutMs: readyTimeoutMs });
    }
  }, 180_000);

  it('goes on with what a supervisor that was killed has left, also where the demo can be shown no more', async () => {
    const secrets = readFileSync(fileIn('secrets.json'), 'utf8');
    const left = Object.values(processes());
    settler.running.kill('SIGKILL');
    await settler.running.exited;
    expect(left.filter(isAlive)).toHaveLength(7);

    writeFileSync(fileIn('demo.json'), JSON.stringify({ apiKey: 'stl_live_revoked', jobId: 'job_00000000000000000000000000' }));
    settler = startSettler(data, { SETTLER_DEMO: '1' });
    const url = await settler.ready();
    expect(await settler.line('The demo could not be shown')).toContain('goes on without it: POST /v1/webhooks answered 401');
    expect((await fetch(`${url}/health/ready`)).ok).toBe(true);
    expect(settler.said()).toContain('Stopped what an earlier start had left running');
    expect(left.filter(isAlive)).toEqual([]);
    expect(readFileSync(fileIn('secrets.json'), 'utf8')).toBe(secrets);
  }, 180_000);

  it('ends all of it', async () => {
    const last = Object.values(processes());
    const stoppedAt = performance.now();
    settler.running.kill('SIGTERM');
    // npm and the terminal both send it.
    settler.running.kill('SIGINT');
    expect(await settler.running.exited).toMatchObject({ code: 0 });
    expect(performance.now() - stoppedAt).toBeLessThan(stopTimeoutMs);
    expect(last.filter(isAlive)).toEqual([]);
    expect(() => processes()).toThrow(/ENOENT/);
  }, 60_000);

  it('ends cleanly when it is told to before it is ready', async () => {
    const { running } = start();
    const begun = await waitFor(() => readProcesses()['postgres'], { what: 'PostgreSQL to be started', timeoutMs: readyTimeoutMs });
    running.kill('SIGINT');
    expect(await running.exited).toMatchObject({ code: 0 });
    expect(isAlive(begun)).toBe(false);
    expect(readProcesses()).toEqual({});
  }, 60_000);
});
