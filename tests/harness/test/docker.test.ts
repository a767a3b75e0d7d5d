import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { birthOf } from '@settler/local/processes/birth';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseServers } from '../src/servers/choice.ts';
import { removeDeadContainers } from '../src/servers/containers.ts';
import { dockerOf } from '../src/servers/docker.ts';

/** A daemon that knows as much of Docker's API as the harness asks for, so that the choice is tested where there is no Docker. */
let daemon: Server;
let directory: string;
let images: string[];
let containers: { Id: string; Labels: Record<string, string> }[];
let removed: string[];
const environment = (more: Record<string, string> = {}) => ({ DOCKER_HOST: `unix://${join(directory, 'socket')}`, ...more });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'settler-daemon-'));
  [images, containers, removed] = [['postgres:18', 'nats:2.14'], [], []];
  daemon = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    const image = /^\/images\/(.+)\/json$/.exec(path)?.[1];
    if (image !== undefined) return response.writeHead(images.includes(image) ? 200 : 404).end('{}');
    if (path.startsWith('/containers/json?all=true&filters={"label":["settler.test-run"]}'))
      return response.end(JSON.stringify(containers));
    removed.push(`${request.method} ${path}`);
    return response.writeHead(204).end();
  });
  daemon.listen(join(directory, 'socket'));
  await once(daemon, 'listening');
});

afterEach(() => {
  daemon.closeAllConnections();
  daemon.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('the choice of servers', () => {
  it('is containers where a daemon has both images', async () => {
    expect(await chooseServers(environment())).toMatchObject({ kind: 'containers' });
    images = ['postgres:18'];
    expect(await chooseServers(environment())).toEqual({ kind: 'embedded' });
  });

  it('is the embedded ones where nobody answers', async () => {
    expect(await chooseServers({ DOCKER_HOST: `unix://${join(directory, 'nobody')}` })).toEqual({ kind: 'embedded' });
    expect(await chooseServers({ DOCKER_HOST: 'ssh://elsewhere' })).toEqual({ kind: 'embedded' });
  });

  it('is what was asked for, or an error', async () => {
    expect(await chooseServers(environment({ SETTLER_TEST_SERVERS: 'embedded' }))).toEqual({ kind: 'embedded' });
    images = [];
    await expect(chooseServers(environment({ SETTLER_TEST_SERVERS: 'containers' }))).rejects.toThrow(/no Docker daemon answers/);
    await expect(chooseServers(environment({ SETTLER_TEST_SERVERS: 'none' }))).rejects.toThrow(/must be/);
  });
});

describe('containers of a run that was killed', () => {
  it('are removed by the next one, and nobody else’s are', async () => {
    const dead = `settler-test-${process.pid}-1`;
    const alive = `settler-test-${process.pid}-${birthOf(process.pid)}`;
    const labels = (run: string, machine = hostname()) => ({ 'settler.test-run': run, 'settler.test-machine': machine });
    containers = [
      { Id: 'dead', Labels: labels(dead) },
      { Id: 'alive', Labels: labels(alive) },
      { Id: 'elsewhere', Labels: labels(dead, 'another-machine') },
      { Id: 'strange', Labels: labels('something') },
    ];
    const docker = dockerOf(environment());
    if (docker === undefined) throw new Error('the daemon cannot be spoken to');
    await removeDeadContainers(docker);
    expect(removed).toEqual(['DELETE /containers/dead?force=true&v=true']);
  });
});
