import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const source = fileURLToPath(new URL('../src/logger.ts', import.meta.url));
/** More than is written at once. */
const linesInAll = 1_000;

/** What a process that logs so many lines and one more when `ending` says, has written to its standard output. */
const linesOf = async (ending: string): Promise<Record<string, unknown>[]> => {
  const program = `
    import { createLogger } from ${JSON.stringify(source)};
    const logger = createLogger('jobs', 'info');
    for (let line = 0; line < ${linesInAll}; line += 1) logger.info({ line, key: 'stl_live_x' }, 'a line');
    const last = () => logger.info({ line: ${linesInAll} }, 'the last line');
    ${ending}
  `;
  const args = ['--conditions=@settler/source', '--input-type=module', '--eval', program];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
};

it.each([
  ['nothing more to do', 'last();'],
  ['an exit', 'setTimeout(() => { last(); process.exit(0); }, 300);'],
  ['an error that nobody catches', 'setTimeout(() => { last(); throw new Error("on purpose"); }, 300);'],
])('writes every line, in order, before a process ends with %s', async (_name, ending) => {
  const lines = await linesOf(ending);
  expect(lines.filter(({ line }) => line !== undefined).map(({ line }) => line)).toEqual(
    Array.from({ length: linesInAll + 1 }, (_, line) => line),
  );
  expect(lines[0]).toMatchObject({ level: 'info', service: 'jobs', key: '[redacted]', msg: 'a line' });
  expect(Date.now() - Date.parse(String(lines.at(-1)?.['time']))).toBeLessThan(60_000);
});

it('does not wait for more lines for longer than a moment', async () => {
  const program = `
    import { createLogger } from ${JSON.stringify(source)};
    createLogger('jobs', 'info').info('a line');
    setInterval(() => {}, 1_000);
  `;
  const child = spawn(process.execPath, ['--conditions=@settler/source', '--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [written] = await once(child.stdout, 'data');
  child.kill();
  await once(child, 'close');
  expect(JSON.parse(String(written))).toMatchObject({ msg: 'a line' });
});
