/** What ends a read, said the same by those who split into strings and those who split into places. */
import { ReaderFailure } from '../reader.ts';

export const nul = (line: number): ReaderFailure =>
  new ReaderFailure('binary_content', `line ${line} has a NUL byte: this is no text, or UTF-16 without its byte order mark`, line);

export const lineTooLong = (line: number, bytesPerRecord: number): ReaderFailure =>
  new ReaderFailure('line_too_long', `line ${line} is longer than ${bytesPerRecord} bytes`, line);

export const unterminatedQuote = (line: number): ReaderFailure =>
  new ReaderFailure('unterminated_quote', `the quote that opens on line ${line} is never closed`, line);

/** It may be closed further on, where nobody looks. */
export const quoteTooLong = (line: number, bytesPerRecord: number): ReaderFailure =>
  new ReaderFailure('unterminated_quote', `the quote that opens on line ${line} is not closed within ${bytesPerRecord} bytes`, line);

export const emptyFile = (line: number): ReaderFailure =>
  new ReaderFailure('empty_file', 'the input is empty: there is not even a header', line);

/** Of a record, which is read on with the next. */
export const textAfterQuote = (cell: number): string => `text follows the closing quote of cell ${cell}`;
