import { describe, expect, test } from 'vitest';
import { readCommand } from '../src/operate.ts';
import type { Operation } from '../src/operation.ts';

const operation = (command: string, argument?: string): Operation => ({
  command,
  does: '',
  options: { all: { means: 'all of them' }, limit: { means: 'how many', value: 'N' } },
  run: async () => {},
  ...(argument === undefined ? {} : { argument }),
});
const [list, verify] = [operation('dead-letters list'), operation('certificate verify', 'executionId')];
const read = (text: string) => readCommand(text.split(' '), [list, verify]);

describe('what an operator types', () => {
  test('is a command, what it is about, and options', () => {
    expect(read('dead-letters list --all --limit 3')).toEqual({ operation: list, options: { all: true, limit: '3' } });
    expect(read('certificate verify exe_1 --all')).toEqual({ operation: verify, options: { executionId: 'exe_1', all: true } });
  });

  test.each(['certificate verify', 'certificate verify --all'])('is told what is missing behind it: %s', (text) => {
    expect(() => read(text)).toThrow('<executionId> is missing: certificate verify <executionId>.');
  });

  test.each(['certificate', 'certificate verify exe_1 exe_2', 'dead-letters list more', 'dead-letters'])('is no command: %s', (text) => {
    expect(() => read(text)).toThrow(`There is no command "${text}"; --help lists those that are.`);
  });

  test('has no options but those of the command', () => {
    expect(() => read('dead-letters list --none')).toThrow("Unknown option '--none'");
  });
});
