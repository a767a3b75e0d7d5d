import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { root } from '../check/command.ts';
import { longest, longestSharing } from '../testing/longest-first.ts';

test('what runs first is there', () => {
  expect([...longest, ...longestSharing].filter((file) => !existsSync(`${root}${file}`))).toEqual([]);
});
