import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReaderFailure } from '../../src/reader.ts';
import { fileOf, someFileId } from '../reading.ts';
import { readBoth } from './both.ts';
import { generatedCsv } from './generated.ts';

const cut = (bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] => {
  const blocks: Uint8Array[] = [];
  for (let from = 0, index = 0; from < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? bytes.length;
    blocks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return blocks;
};

const sizes = fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 5 });

describe('columns', () => {
  it('say of every input what rows say of it, however it is mapped, written and cut', async () => {
    let read = 0;
    let invalid = 0;
    await fc.assert(
      fc.asyncProperty(generatedCsv, sizes, fc.integer({ min: 1, max: 9 }), async ({ text, config }, sizes, rowsPerChunk) => {
        const context = { openFile: fileOf(...cut(Buffer.from(text), sizes)), limits: { rowsPerChunk, bytesPerRecord: 4000 } };
        const rows = await readBoth({ fileId: someFileId, encoding: 'utf-8', ...config }, context).catch((error: unknown) => {
          if (error instanceof ReaderFailure) return [];
          throw error;
        });
        read += rows.filter((row) => 'record' in row).length;
        invalid += rows.filter((row) => 'invalid' in row).length;
      }),
      { numRuns: 500 },
    );
    // The inputs are worth reading: there were many of both.
    expect(read).toBeGreaterThan(300);
    expect(invalid).toBeGreaterThan(300);
  });
});
