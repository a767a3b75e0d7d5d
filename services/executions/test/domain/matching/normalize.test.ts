import type { Transform } from '@settler/contracts/rules';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { normalized, transformed } from '../../../src/domain/matching/columns/normalize.ts';
import { type TextColumn, textAt, textColumnOf } from '../../../src/domain/matching/columns/text-column.ts';

const columnOf = (texts: readonly string[]): TextColumn => textColumnOf(texts.length, (row) => texts[row]);

describe('transforms of columns', () => {
  test('make of a column what they make of each of its texts, whether over bytes or not', () => {
    const transforms = fc.array(
      fc.constantFrom<Transform>(
        'trim',
        'lowercase',
        'collapseSpaces',
        'alphanumeric',
        'digits',
        'stripAccents',
        'stripLeadingZeros',
        'abs',
        { stripPrefix: 'or' },
        { stripSuffix: '-x' },
      ),
      { minLength: 1, maxLength: 4 },
    );
    const letters = fc.array(fc.constantFrom(...' \t-+OoRr0017xXzé\u0130ß日'), { maxLength: 12 }).map((all) => all.join(''));
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 20 }), transforms, (texts, steps) => {
        const column = normalized(columnOf(texts), steps);
        const through = transformed(steps);
        expect(texts.map((_, row) => textAt(column, row))).toEqual(texts.map((text) => (text === '' ? '' : through(text))));
      }),
      { numRuns: 500 },
    );
  });
});
