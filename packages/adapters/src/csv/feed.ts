/** Feeds a CSV input to a parser, block by block, for readers of rows and of columns alike. */
import { quoted } from '../fields/unreadable.ts';
import { type ReadContext, ReaderFailure } from '../reader.ts';
import { openInput } from '../source.ts';
import { utf8Blocks } from './decode.ts';
import type { CsvConfig } from './definition.ts';
import type { Splitter } from './split.ts';

export type Fed = { readonly bytesRead: number; readonly totalBytes: number; readonly isLast: boolean };

/** Answers after each block, and once more when the parser has finished, so that what is ready can be given out. */
export async function* feed(config: CsvConfig, context: ReadContext, parser: Splitter): AsyncGenerator<Fed> {
  const { bytes, totalBytes } = await openInput(config, context);
  let bytesRead = 0;

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const block of bytes) {
      bytesRead += block.length;
      yield block;
    }
  }

  try {
    // Content was text when it came, so it needs no guess at its encoding.
    const encoding = config.content === undefined ? config.encoding : 'utf-8';
    const tellMixed = (example: string): void =>
      context.tell?.({
        code: 'mixed_encoding',
        message: `read as windows-1252, because it begins so, and goes on as UTF-8 would: ${quoted(example)}; say in the configuration which encoding it has`,
      });
    for await (const block of utf8Blocks(counted(), encoding, tellMixed)) {
      parser.push(block);
      yield { bytesRead, totalBytes, isLast: false };
    }
    parser.finish();
  } catch (error) {
    // The decoder knows no lines; everything before its fault has reached the parser, which does.
    if (error instanceof ReaderFailure && error.code === 'bad_encoding') throw atLine(error, parser.line());
    throw error;
  }
  context.signal.throwIfAborted();
  yield { bytesRead, totalBytes, isLast: true };
}

/** A short day has fewer rows than its file was said to end with: totals of another form, or records that are taken for them. */
export const tellTooFew = ({ trailerRows = 0 }: CsvConfig, { tell }: ReadContext, heldRows: number): void => {
  if (heldRows >= trailerRows) return;
  tell?.({
    code: 'too_few_rows',
    message: `the last ${trailerRows} rows are no records, by trailerRows, and there are no more than ${heldRows}: none of them was read`,
  });
};

const atLine = (failure: ReaderFailure, line: number): ReaderFailure =>
  Object.assign(new ReaderFailure(failure.code, `line ${line}: ${failure.message}`, line), { cause: failure.cause });
