/** Feeds a CSV input to a parser, block by block, for readers of rows and of columns alike. */
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
    for await (const block of utf8Blocks(counted(), config.content === undefined ? config.encoding : 'utf-8')) {
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

const atLine = (failure: ReaderFailure, line: number): ReaderFailure =>
  Object.assign(new ReaderFailure(failure.code, `line ${line}: ${failure.message}`, line), { cause: failure.cause });
