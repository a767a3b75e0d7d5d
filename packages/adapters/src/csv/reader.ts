/** Streams a CSV input as rows. At any time it holds one block of bytes, the record that block leaves unfinished, and one chunk of rows. */
import { defaultLimits, type Read, type ReadChunk, ReaderFailure } from '../reader.ts';
import { openInput } from '../source.ts';
import { utf8Blocks } from './decode.ts';
import type { CsvConfig } from './definition.ts';
import { csvParser } from './parser.ts';

/** A chunk is also full when this much was read for it: a few rows of a megabyte each must not add up to gigabytes. */
const bytesPerChunk = 1024 * 1024;

export const read: Read<CsvConfig> = async function* (config, context) {
  const limits = { ...defaultLimits, ...context.limits };
  const { bytes, totalBytes } = await openInput(config, context);
  const parser = csvParser(config, limits);
  let bytesRead = 0;
  let bytesReported = 0;

  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const block of bytes) {
      bytesRead += block.length;
      yield block;
    }
  }

  function* chunks(isLast: boolean): Generator<ReadChunk> {
    while (
      parser.rows.length >= limits.rowsPerChunk ||
      (parser.rows.length > 0 && (isLast || bytesRead - bytesReported >= bytesPerChunk))
    ) {
      yield { rows: parser.rows.splice(0, limits.rowsPerChunk), bytesRead, totalBytes };
      bytesReported = bytesRead;
    }
  }

  try {
    // Content was text when it came, so it needs no guess at its encoding.
    for await (const block of utf8Blocks(counted(), config.content === undefined ? config.encoding : 'utf-8')) {
      parser.push(block);
      for (const chunk of chunks(false)) {
        yield chunk;
        context.signal.throwIfAborted();
      }
    }
    parser.finish();
  } catch (error) {
    // The decoder knows no lines; everything before its fault has reached the parser, which does.
    if (error instanceof ReaderFailure && error.code === 'bad_encoding') throw atLine(error, parser.line());
    throw error;
  }
  context.signal.throwIfAborted();
  yield* chunks(true);
};

const atLine = (failure: ReaderFailure, line: number): ReaderFailure =>
  Object.assign(new ReaderFailure(failure.code, `line ${line}: ${failure.message}`, line), { cause: failure.cause });
