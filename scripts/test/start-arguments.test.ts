import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { root } from '../check/command.ts';

const start = (...args: string[]) =>
  spawnSync(process.execPath, ['--conditions=@settler/source', 'scripts/start.ts', ...args], { cwd: root, encoding: 'utf8' });

describe('the arguments of npm start', { timeout: 60_000 }, () => {
  it('are answered with help, with every setting and its default', () => {
    const { status, stdout } = start('--help');
    expect(status).toBe(0);
    expect(stdout).toMatch(/ {2}PORT +The port of the gateway; 0: any free one\. Default: 3000\n/);
    expect(stdout).toContain('  RATE_LIMIT_DEFAULT\n');
  });

  it('are refused where they are unknown, and nothing is started', () => {
    const { status, stdout, stderr } = start('--port=8080');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('was given --port=8080');
  });
});
