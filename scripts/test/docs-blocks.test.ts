import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { waitFor } from '@settler/harness';
import { birthOf } from '@settler/local/processes/birth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksOf } from './documents/blocks.ts';
import { runBlocks } from './documents/shell.ts';
import { startWitness, type Witness } from './documents/witness.ts';

let witness: Witness;
const server = createServer((request, response) => {
  response.writeHead(request.url === '/gone' ? 410 : 200, { 'content-type': 'application/json' }).end('{"id":"one"}');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  witness = await startWitness(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterAll(async () => {
  await witness.close();
  await new Promise((resolve) => server.close(resolve));
});

const run = (markdown: string, blockTimeoutMs = 10_000) =>
  runBlocks(
    blocksOf(markdown).filter(({ language }) => language === 'sh'),
    {
      document: 'docs/example.md',
      workingDirectory: tmpdir(),
      environment: { PATH: process.env['PATH'] ?? '', SETTLER: witness.url },
      blockTimeoutMs,
      complaints: witness.takeFailures,
    },
  );

describe('the blocks of a document', () => {
  it('are found with their language and line, and without the indentation of a list', () => {
    const markdown = ['# Title', '```sh', 'one', '', '  two', '```', 'text', '- item', '', '  ```console', '  $ npm start', '  ```'].join(
      '\n',
    );
    expect(blocksOf(markdown)).toEqual([
      { language: 'sh', line: 3, text: 'one\n\n  two' },
      { language: 'console', line: 11, text: '$ npm start' },
    ]);
  });

  it('are run one after another in one shell, and what is only shown is not run', async () => {
    const markdown = [
      '```sh',
      'ID=$(curl -s "$SETTLER/here")',
      '```',
      '```console',
      '$ false',
      '```',
      '```sh',
      'test "$ID" = \'{"id":"one"}\'',
      '```',
    ];
    expect(await run(markdown.join('\n'))).toBeUndefined();
  });

  it('fail with the document, the line and what was printed', async () => {
    const markdown = ['text', '```sh', 'true', '```', '```sh', 'echo before', 'false', 'echo after', '```'];
    const fault = await run(markdown.join('\n'));
    expect(fault).toMatch(/^docs\/example\.md:6 failed\nbefore\nline 7: false/);
    expect(fault).not.toContain('after');
  });

  it.each([
    ['a command that is not there', 'no-such-command-at-all', /line 2: no-such-command-at-all: command not found/],
    ['a variable that no block has set', 'echo "$NEVER_SET"', /line 2: NEVER_SET: unbound variable/],
    ['a failure within a pipe', 'false | cat', /line 2: /],
    ['an answer that is no success', 'curl -s "$SETTLER/gone"', /GET \/gone was answered 410/],
    [
      'an answer that is no success, in the background of a substitution',
      'A=$(curl -s "$SETTLER/gone" | cat)',
      /GET \/gone was answered 410/,
    ],
  ])('fail for %s', async (_what, command, expected) => {
    expect(await run(['```sh', command, '```'].join('\n'))).toMatch(expected);
  });

  it('fail when they take too long, and leave nothing running', async () => {
    const fault = await run(['```sh', 'tail -f /dev/null &', 'echo "began $!"', 'wait', '```'].join('\n'), 500);
    expect(fault).toMatch(/began \d+\s+nothing more came for 0\.5 s/);
    const pid = Number(/began (\d+)/.exec(fault ?? '')?.[1]);
    await waitFor(() => birthOf(pid) === undefined, { what: 'what the block had left running to be gone' });
  });
});
