import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson } from '../src/json.ts';

const read = (text: string) => parseJson(Buffer.from(text));
/** As clients write it that keep to ASCII. */
const ascii = (value: unknown) =>
  JSON.stringify(value).replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

describe('a body of JSON', () => {
  test("keeps its names, whatever names others have sent before: JSON.parse alone reads another's in their place", () => {
    for (const name of ['W\\u00e4', '\\']) expect(Object.keys(read(JSON.stringify({ id: 1, [name]: 2 })) as object)).toEqual(['id', name]);
    expect(read('{"id":1,"W\\u00e4hrung":"CHF"}')).toEqual({ id: 1, Währung: 'CHF' });
    expect(read('{"id":1,"\\n":[{"\\"":"\\n"}]}')).toEqual({ id: 1, '\n': [{ '"': '\n' }] });
  });

  test.each([
    ['{"records":[{"id":"a"},{"orderNo":9007199254740993}]}', 'records[1].orderNo'],
    ['{"a":{"W\\u00e4":[1,-12345678901234567890]}}', 'a["Wä"][1]'],
    ['{"a":1e400}', 'a'],
    ['[0.1234567890123456789]', '[0]'],
    ['12345678901234567', ''],
  ])('with a number that would be rounded is refused at its place: %s', (text, path) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'validation_failed',
        details: { errors: [{ path, message: 'is a number that would be rounded; write it as a string' }] },
      }),
    );
  });

  test.each([
    ['{"a":1,"b":2,"a":1}', 'a'],
    ['{"records":[{"id":"x"},{"id":"y","amount":"1","\\u0061mount":"2"}]}', 'records[1].amount'],
    ['[1,{"one two":{"x":[]},"one two" : 2}]', '[1]["one two"]'],
    ['{"a":{"a":{"a":1},"b":"\\"a\\":","b":2}}', 'a.b'],
  ])('that has a name twice is refused at its place: %s', (text, path) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'malformed_request', message: `The body has the field ${path} twice.` }),
    );
  });

  test('may have the same name in different places, and colons in texts', () => {
    for (const text of ['{"a":{"a":[{"a":":"},{"a":"\\":"}]}}', '[{"a":1},{"a":2}]', '"a:b"', '[]', 'null', '{"1":1,"01":2,":":3}'])
      expect(read(text)).toEqual(JSON.parse(text));
  });

  test('has numbers as they are where a double holds them, and looks at no digits of texts', () => {
    for (const text of [
      '9007199254740991',
      '-9007199254740992',
      '0.1',
      '100000000000000000000',
      '1.50',
      '2.5e-3',
      '1E+2',
      '1e21',
      '0.0',
      '-0',
      '5e-324',
    ])
      expect(read(text)).toBe(Number(text));
    expect(read('{"iban":"DE89370400440532013000","9007199254740993":"9007199254740993"}')).toEqual({
      iban: 'DE89370400440532013000',
      '9007199254740993': '9007199254740993',
    });
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
        expect(read(JSON.stringify(number))).toBe(Number(JSON.stringify(number)));
      }),
    );
  });

  test('is what it was made of', () => {
    const unit = fc.constantFrom('\\', '"', '\n', 'n', 'u', 'u00e4', 'ä', '💶', '\u{10000}', '\u{10ffff}', ':', ' ', '{', 'a');
    const text = fc.string({ unit, maxLength: 4 });
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(text, tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, fc.constantFrom('', ' ', '\n\t'), (made, space) => {
        const same = JSON.stringify(made);
        // Compared as text, because what compares names has read them.
        expect(JSON.stringify(read(ascii(made)))).toBe(same);
        expect(JSON.stringify(read(same))).toBe(same);
        expect(JSON.stringify(read(`${space}${JSON.stringify(made, null, space)}`))).toBe(same);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each(['{"\\q":1}', '{"\\u00g0":1}', '{"a\\":1}', '{"\\\n":1}', '{"\\💶":1}', '{"a\\n":}'])('%s is none', (text) => {
    expect(() => read(text)).toThrow('The body is not valid JSON');
  });

  test.each(['{"__proto__":1}', '{"\\u005f_proto__":1}', '{"a\\n":{"\\u005f_proto__":1}}'])('%s is refused', (text) => {
    expect(() => read(text)).toThrow('The body has a field called __proto__.');
  });

  test.each(['{"a\\u0000":1}', '{"\\ud800":1}', '{"a":{"\\n\\udc01":1}}'])('%s cannot be stored', (text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'validation_failed' }));
  });

  test('with more names to be read than a body of records has is refused at once', () => {
    const few = Array.from({ length: 50_000 }, () => '{"W\\u00e4hrung":1}').join();
    expect(read(`[${few}]`)).toHaveLength(50_000);
    for (const name of ['\\n'.repeat(1_000_000), Array.from({ length: 50_000 }, (_, at) => `\\n${at}`).join('":1,"')])
      expect(() => read(`{"${name}":1}`)).toThrow(expect.objectContaining({ code: 'payload_too_large' }));
  });
});
