import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEncoding, utf8Blocks } from '../../src/csv/decode.ts';
import { ReaderFailure } from '../../src/reader.ts';

/** In a block of memory that is used again, as a source may. */
async function* cut(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const block = Buffer.alloc(size);
  for (let from = 0; from < bytes.length; from += size) {
    block.set(bytes.subarray(from, from + size));
    yield block.subarray(0, bytes.length - from);
    block.fill(0xff);
  }
}

/** The text, and the code of the failure it ends with, the same for blocks of every size. */
const decoded = async (bytes: Uint8Array, encoding?: string): Promise<readonly [text: string, code?: string]> => {
  const outcomes = await Promise.all([1, 2, 3, 5, 1_000_000].map((size) => decodedInBlocks(bytes, size, encoding)));
  const [first] = outcomes;
  if (first === undefined) throw new Error('nothing was decoded');
  for (const other of outcomes) expect(other).toEqual(first);
  return first;
};

const decodedInBlocks = async (bytes: Uint8Array, size: number, encoding?: string): Promise<readonly [text: string, code?: string]> => {
  const blocks: Uint8Array[] = [];
  try {
    for await (const block of utf8Blocks(cut(bytes, size), encoding)) blocks.push(Buffer.from(block));
  } catch (error) {
    if (error instanceof ReaderFailure) return [Buffer.concat(blocks).toString(), error.code];
    throw error;
  }
  return [Buffer.concat(blocks).toString()];
};

const utf16 = (text: string, bigEndian: boolean): Buffer =>
  bigEndian ? Buffer.from(text, 'utf16le').swap16() : Buffer.from(text, 'utf16le');

describe('decoding', () => {
  it('takes UTF-8 as it is', async () => {
    expect(await decoded(Buffer.from('plain'))).toEqual(['plain']);
    expect(await decoded(Buffer.from('a'))).toEqual(['a']);
    expect(await decoded(Buffer.from(''))).toEqual(['']);
    expect(await decoded(Buffer.from('Zürich €5 𝄞 Ω'))).toEqual(['Zürich €5 𝄞 Ω']);
  });

  it('takes windows-1252 for what is no UTF-8', async () => {
    expect(await decoded(Buffer.from([0x5a, 0xfc, 0x72, 0x69, 0x63, 0x68, 0x2c, 0x80, 0x35]))).toEqual(['Zürich,€5']);
    expect(await decoded(Buffer.from([0x61, 0x62, 0x63, 0x64, 0xe9]))).toEqual(['abcdé']);
    expect(await decoded(Buffer.from([0xe9]))).toEqual(['é']);
  });

  it('is told the encoding by a byte order mark, which is no part of the text', async () => {
    expect(await decoded(Buffer.from('\ufeffé,1'))).toEqual(['é,1']);
    expect(await decoded(utf16('\ufeffé,€\n', false))).toEqual(['é,€\n']);
    expect(await decoded(utf16('\ufeffé,€\n', true))).toEqual(['é,€\n']);
    expect(await decoded(Buffer.from('\ufeff'))).toEqual(['']);
    expect(await decoded(Buffer.from('\ufeffé'), 'windows-1252')).toEqual(['é']);
  });

  it('is told the encoding by the configuration', async () => {
    expect(await decoded(Buffer.from([0x93, 0xfa, 0x2c, 0x96, 0x7b]), 'shift_jis')).toEqual(['日,本']);
    expect(await decoded(utf16('é,€\n', true), 'utf-16be')).toEqual(['é,€\n']);
    expect(await decoded(Buffer.from([0xa4]), 'iso-8859-15')).toEqual(['€']);
    expect(await decoded(Buffer.from('é'), 'utf-8')).toEqual(['é']);
  });

  it('fails on bytes that are not what was said or begun, after everything before them', async () => {
    expect(await decoded(Buffer.from([0x61, 0x0a, 0xe9, 0x62]), 'utf-8')).toEqual(['a\n', 'bad_encoding']);
    expect(await decoded(Buffer.concat([Buffer.from('Zürich\n'), Buffer.from([0x5a, 0xfc, 0x72])]))).toEqual(['Zürich\nZ', 'bad_encoding']);
    expect(await decoded(Buffer.from([0xc3, 0xa9, 0xc3]))).toEqual(['é', 'bad_encoding']);
    expect((await decoded(Buffer.from([0x81]), 'shift_jis'))[1]).toBe('bad_encoding');
    // Half a surrogate pair, in UTF-8 and in UTF-16.
    expect(await decoded(Buffer.from([0x61, 0xed, 0xa0, 0x80]), 'utf-8')).toEqual(['a', 'bad_encoding']);
    expect((await decoded(utf16('\ufeffa\ud800b', false)))[1]).toBe('bad_encoding');
  });

  it.each([
    ['504b0304140000', 'ZIP or XLSX'],
    ['255044462d312e', 'PDF'],
    ['1f8b0800000000', 'gzip'],
    ['d0cf11e0a1b11a', 'old Excel'],
  ])('names what is no text: %s', async (hex, what) => {
    const blocks = utf8Blocks(cut(Buffer.from(hex, 'hex'), 2), undefined);
    await expect(blocks.next()).rejects.toMatchObject({ code: 'binary_content', message: expect.stringContaining(what) });
  });

  it('gives back any text, in UTF-8 and UTF-16', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 1, max: 9 }), async (text, size) => {
        const expected = text.replace(/^\ufeff|\ufffd/g, '');
        expect(await decodedInBlocks(Buffer.from(`\ufeff${expected}`), size)).toEqual([expected]);
        expect(await decodedInBlocks(utf16(`\ufeff${expected}`, true), size)).toEqual([expected]);
      }),
    );
  });

  it('never leaves a byte sequence unanswered: text or a failure', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        const [text, code] = await decoded(bytes);
        expect(text.isWellFormed()).toBe(true);
        expect([undefined, 'bad_encoding', 'binary_content']).toContain(code);
      }),
    );
  });

  it('knows its own names for encodings', () => {
    expect(['utf-8', 'UTF8', 'windows-1252', 'latin1', 'utf-16le', 'gb18030'].every(isEncoding)).toBe(true);
    expect(['utf-7', 'klingon', ''].some(isEncoding)).toBe(false);
  });
});
