/** Drops the physical lines above a table. Quotes mean nothing there: what stands above the header is prose. */
import { ReaderFailure } from '../reader.ts';

const lf = 10;
const cr = 13;

/** Answers what is left of each block; nothing is kept between blocks, however long the lines are. */
export const lineSkipper = (lines: number, bytesPerLine: number) => {
  let line = 1;
  let length = 0;
  let afterCr = false;
  return (block: Uint8Array): Uint8Array => {
    let position = 0;
    while (position < block.length && (line <= lines || afterCr)) {
      const byte = block[position] ?? 0;
      if (byte === lf && afterCr) {
        afterCr = false;
        position++;
        continue;
      }
      if (line > lines) {
        afterCr = false;
        break;
      }
      if (byte === 0) throw new ReaderFailure('binary_content', `line ${line} has a NUL byte: this is no text`, line);
      afterCr = byte === cr;
      length++;
      if (byte === lf || byte === cr) {
        line++;
        length = 0;
      }
      if (length > bytesPerLine) throw new ReaderFailure('line_too_long', `line ${line} is longer than ${bytesPerLine} bytes`, line);
      position++;
    }
    return block.subarray(position);
  };
};
