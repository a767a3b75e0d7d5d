import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { client } from '@settler/harness';
import { stopLeftovers } from '@settler/local/processes/leftovers';
import { freePorts } from '@settler/local/processes/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../../check/command.ts';
import { type Block, blocksOf } from '../documents/blocks.ts';
import { runBlocks } from '../documents/shell.ts';
import { startWitness, type Witness } from '../documents/witness.ts';
import { type StartedSettler, startSettler } from './start-settler.ts';

const data = mkdtempSync(join(tmpdir(), 'settler-readme-'));
// Open to be passed through: else, when this is root, PostgreSQL's files go to a directory elsewhere that outlives the test.
chmodSync(data, 0o711);
const blockTimeoutMs = 30_000;

const guides = readdirSync(join(root, 'docs/guides'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => `docs/guides/${file}`);
const textOf = (document: string) => readFileSync(join(root, document), 'utf8');
const commandsOf = (document: string): Block[] => blocksOf(textOf(document)).filter(({ language }) => language === 'sh');

let settler: StartedSettler;
let url: string;
let witness: Witness;
let environment: Record<string, string>;

beforeAll(async () => {
  settler = startSettler(data, { SETTLER_DEMO: '1' });
  url = await settler.ready();
  witness = await startWitness(url);
  const [port] = await freePorts(1, process.pid);
  const account = { email: 'reader@example.com', password: 'a password of several words', organizationName: 'Readers' };
  const { accessToken } = (await client(url).post('/v1/auth/register', account)).body;
  const { key } = (await client(url, { token: accessToken }).post('/v1/api-keys', { name: 'reader', scopes: ['*'] })).body;
  const { PATH = '', HOME = tmpdir() } = process.env;
  environment = { PATH, HOME, SETTLER: witness.url, KEY: key, RECEIVER_PORT: String(port), SETTLER_DATA_DIR: data };
});

afterAll(async () => {
  await witness?.close();
  await settler.running.stop(10_000);
  const list = join(data, 'processes.json');
  // Whatever a failed test has left.
  if (existsSync(list)) await stopLeftovers(Object.values(JSON.parse(readFileSync(list, 'utf8'))), 5_000);
  // What a guide exports stands where its reader is.
  for (const written of [data, join(root, 'exceptions.csv')]) rmSync(written, { recursive: true, force: true });
});

describe('what a reader is told', () => {
  it('is what npm start prints', async () => {
    // The last of what it prints.
    await settler.line('Try it');
    const shown = blocksOf(textOf('README.md')).find(({ text }) => text.startsWith('Settler is ready at'));
    const printed = settler.said();
    let from = 0;
    for (const line of (shown?.text ?? 'nothing is shown').split('\n')) {
      // What differs from start to start is written as an ellipsis.
      const pattern = new RegExp(`^${line.replace('http://127.0.0.1:3000', url).split('…').map(RegExp.escape).join('.*')}$`, 'm');
      const at = printed.slice(from).search(pattern);
      expect(at, `"${line}" is not printed, or not there`).toBeGreaterThanOrEqual(0);
      from += at;
    }
  });

  it.each(['README.md', ...guides].filter((document) => commandsOf(document).length > 0))(
    'works when it is pasted: %s',
    async (document) => {
      const fault = await runBlocks(commandsOf(document), {
        document,
        workingDirectory: root,
        environment,
        blockTimeoutMs,
        complaints: witness.takeFailures,
      });
      expect(fault ?? 'works').toBe('works');
    },
  );

  it('includes commands at all', () => {
    expect(commandsOf('README.md').length).toBeGreaterThan(8);
  });
});
