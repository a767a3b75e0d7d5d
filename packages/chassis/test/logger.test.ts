import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { createLogger, createRequestLog } from '../src/logger.ts';
import type { PastRequest } from '../src/past-requests.ts';

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

it.each([
  ['info', ['/v1/jobs 200 info', '/internal/revocations 503 info', '/internal/revocations 499 info']],
  ['debug', ['/v1/jobs 200 info', '/internal/revocations 200 debug', '/internal/revocations 503 info', '/internal/revocations 499 info']],
  ['warn', []],
])('at %s tells of requests what somebody has to know, and of what services ask each other what went wrong', (level, told) => {
  const lines: string[] = [];
  const log = createRequestLog(createLogger('identity', level, { write: (line) => lines.push(line) }));
  const request = (route: string, status: number, isCut = false): PastRequest => ({
    ...{ requestId: 'req_1', traceId: '4bf92f3577b34da6a3ce929d0e0e4736', method: 'GET', route, status },
    ...{ ms: 1, isCut, endedAtMs: Date.UTC(2026, 3, 1) },
  });
  log([request('/v1/jobs', 200), request('/internal/revocations', 200), request('/internal/revocations', 503)]);
  log([request('/internal/revocations', 499, true), request('/health/ready', 503), request('/metrics', 200)]);
  expect(lines.map((line) => JSON.parse(line)).map(({ route, status, level: at }) => `${route} ${status} ${at}`)).toEqual(told);
});
