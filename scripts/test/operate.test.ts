import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { services } from '@settler/contracts/services';
import { newSecretKey } from '@settler/local/services/secrets';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';
import { keyMarksOf } from '../supervisor/encryption-keys.ts';
import { createProcessList } from '../supervisor/process-list.ts';
import { loadSecrets } from '../supervisor/secrets.ts';

const [fresh, other] = [newSecretKey(), newSecretKey()];
let directory: string;
let generated: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settler-operate-'));
  generated = loadSecrets(join(directory, 'secrets.json')).encryptionKey;
});
afterAll(() => rmSync(directory, { recursive: true }));

/** As if Settler ran with these keys, each of its processes this one. Nothing listens at port 1. */
const startWith = (keys: string) => {
  const list = createProcessList(join(directory, 'processes.json'));
  for (const name of [...services, 'postgres', 'nats'])
    list.set(name, {
      pid: process.pid,
      port: 1,
      stopSignal: 'SIGTERM',
      ...(name === 'identity' ? { encryptionKeys: keyMarksOf(keys) } : {}),
    });
};
const reEncrypt = async (service: string, keys?: string) => {
  const child = spawn(process.execPath, ['--conditions=@settler/source', 'scripts/operate.ts', service, 'secrets', 're-encrypt'], {
    cwd: root,
    env: { ...process.env, SETTLER_DATA_DIR: directory, ...(keys === undefined ? {} : { ENCRYPTION_KEY: keys }) },
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  return { code, stderr };
};

// Each case starts processes, which on a busy machine takes seconds.
describe('npm run operate beside npm start', { timeout: 60_000 }, () => {
  it('refuses to encrypt anew with other keys than the service has, or in another order', async () => {
    startWith(`2:${fresh},1:${generated}`);
    const refused = (has: string) => ({
      code: 2,
      stderr: expect.stringContaining(`identity runs with the encryption keys 2, 1, and ${has}`),
    });
    expect(await reEncrypt('identity')).toEqual(refused('this command has 1.'));
    expect(await reEncrypt('identity', `1:${generated},2:${fresh}`)).toEqual(refused('this command has 1, 2.'));
    expect(await reEncrypt('identity', `2:${other},1:${generated}`)).toEqual(refused('this command has others under the same ids.'));
  });

  it('goes on with the same ones, given or generated', async () => {
    const unreachable = { code: 1, stderr: expect.stringContaining('ECONNREFUSED') };
    startWith(`2:${fresh},1:${generated}`);
    expect(await reEncrypt('identity', `2:${fresh},1:${generated}`)).toEqual(unreachable);
    startWith(generated);
    expect(await reEncrypt('identity')).toEqual(unreachable);
  });
});
