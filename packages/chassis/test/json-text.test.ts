import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonText, stringify } from '../src/json-text.ts';

describe('JSON that is written as it is stored', () => {
  test('stands in an answer as it is, among what is not', () => {
    expect(stringify({ one: new JsonText('{"a": 1.50}'), two: [new JsonText('[]'), 'text'], three: new JsonText('null') })).toBe(
      '{"one":{"a": 1.50},"two":[[],"text"],"three":null}',
    );
    expect(stringify(new JsonText('[1]'))).toBe('[1]');
    expect([stringify({ a: 1 }), stringify(undefined), stringify('x')]).toEqual(['{"a":1}', undefined, '"x"']);
  });

  test('is what it says to whoever writes JSON without knowing of it', () => {
    expect(JSON.stringify({ one: new JsonText('{"a": 1}') })).toBe('{"one":{"a":1}}');
  });

  test('is lost nowhere when writing fails', () => {
    const broken = {
      text: new JsonText('1'),
      get later(): never {
        throw new Error('broken');
      },
    };
    expect(() => stringify(broken)).toThrow('broken');
    expect(stringify([new JsonText('2')])).toBe('[2]');
  });

  test('says the same as values, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 5 }), fc.jsonValue(), (stored, plain) => {
        const texts = stored.map((value) => new JsonText(JSON.stringify(value)));
        expect(stringify({ texts, plain })).toBe(JSON.stringify({ texts: stored, plain }));
      }),
    );
  });
});
