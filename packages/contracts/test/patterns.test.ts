import { RE2JS } from 're2js';
import { describe, expect, test } from 'vitest';
import { patternFault, patternSteps } from '../src/patterns.ts';
import { rules } from '../src/rules.ts';

describe('a pattern', () => {
  test.each([
    ['(\\d{6})', 8],
    ['^.{0,50}ref:(\\w{10,35})$', 93],
    ['((a{1,30}){1,30})', 962],
    ['[]{9}]{3}', 3],
    ['[[:alpha:](]{3}', 3],
    ['\\Q(a){9}\\E', 10],
    ['\\{9}\\p{Greek}{2}\\x{10FFFF}', 6],
    ['a{b}', 4],
    ['a{9}(?i){9}', 81],
  ])('%s is as long as it is written out', (text, steps) => {
    expect(patternSteps(text)).toBe(steps);
    expect(patternFault(text)).toBeUndefined();
  });

  test('is never a small one that becomes a large program', () => {
    const parts = ['a', '\\pL', '[^]x(]', '[\\]{]', '\\Qa(b\\E', '(?:ab)', '(?P<n>c|d)', '((x)?)*', '(?i)', '()'];
    const repeats = ['', '', '*', '?', '{3}', '{2,9}', '{0,9}', '{4,}'];
    for (let number = 0; number < 2_000; number += 1) {
      const at = (list: readonly string[], place: number): string => list[Math.floor(number / place) % list.length] ?? '';
      const inner = at(parts, 1) + at(repeats, 3) + at(parts, 7) + at(repeats, 11);
      const text = `(${inner})${at(repeats, 5)}${at(parts, 13)}${at(repeats, 17)}`;
      let size: number;
      try {
        size = (RE2JS.compile(text) as unknown as { re2Input: { prog: { inst: unknown[] } } }).re2Input.prog.inst.length;
      } catch {
        continue;
      }
      expect(size, text).toBeLessThanOrEqual(3 * patternSteps(text) + 8);
    }
  });

  test.each([
    '\\pL{1000}'.repeat(55),
    '(.{900}){1}[a-z]{999}[a-z]{999}',
    `(${'('.repeat(200)}a${')'.repeat(200)}){1000}`,
    `${'\\pL'.repeat(160)}{1000}`,
  ])('that is short and would become very long is refused before it is compiled: %#', (text) => {
    const fault = patternFault(text.startsWith('\\pL\\pL') ? `(${text.replace('{1000}', ')')}{1000}` : text);
    expect(fault).toBe('must not be longer than 2000 characters with its repetitions written out');
  });

  test('is one of a hundred at most', () => {
    const withPatterns = (count: number) => ({
      matching: [
        {
          field: 'reference',
          type: 'exact',
          normalize: {
            source: Array.from({ length: Math.min(count, 20) }, (_, index) => ({ regexReplace: { pattern: `a${index}`, with: '' } })),
          },
        },
        ...Array.from({ length: Math.max(count - 20, 0) }, (_, index) => ({ field: 'reference', type: 'regex', pattern: `(b${index})` })),
      ],
    });
    expect(rules.safeParse(withPatterns(60)).success).toBe(true);
    const passes = [0, 1].map((name) => ({ name: `pass ${name}`, match: withPatterns(51).matching }));
    expect(rules.safeParse({ passes }).error?.issues).toMatchObject([{ path: [], message: 'must not have more than 100 patterns' }]);
  });
});
