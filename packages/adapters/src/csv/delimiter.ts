/** Which delimiter a file is written with, told from its header and the columns that the mapping expects there. */
import { ReaderFailure, type ReadLimits } from '../reader.ts';
import { type Splitter, splitter } from './split.ts';

const candidates = [',', ';', '\t', '|'];

/** The header of every real export is found long before this; without one the reader proper is to say what is wrong. */
const sampleBytesMax = 4 * 1024 * 1024;

/** So much is tried at a time: what is behind the header need not be split four times. */
const pieceBytes = 1024;

type Trial = {
  readonly delimiter: string;
  readonly splitter: Splitter;
  header: readonly string[] | undefined;
  isMalformed: boolean;
  over: boolean;
};

/**
 * Feeds blocks to one splitter per candidate until each has a header. The one that shows most of the `expected` columns
 * in a well-formed header wins, then the one with most columns, then the order above; a single column is read as comma-separated.
 */
export const delimiterDetection = (expected: readonly string[], firstLine: number, { bytesPerRecord }: ReadLimits) => {
  const trials = candidates.map((delimiter): Trial => {
    const trial: Trial = {
      delimiter,
      header: undefined,
      isMalformed: false,
      over: false,
      splitter: splitter({ delimiter, bytesPerRecord, firstLine }, (cells, _line, fault) => {
        if (trial.over) return;
        trial.header = cells.map((cell) => cell.trim());
        trial.isMalformed = fault !== undefined;
        trial.over = true;
      }),
    };
    return trial;
  });
  let bytes = 0;

  const run = (trial: Trial, step: () => void): void => {
    if (trial.over) return;
    try {
      step();
    } catch (error) {
      // A file that cannot be split this way is no fault yet: the reader proper meets the same, and says so.
      if (!(error instanceof ReaderFailure)) throw error;
      trial.over = true;
    }
  };

  const score = ({ header, isMalformed }: Trial): number => {
    if (header === undefined) return -1;
    // Text after a closing quote is what another delimiter looks like.
    if (isMalformed) return 0;
    return expected.filter((column) => header.includes(column)).length * 1_000_000 + header.length;
  };

  return {
    /** True once more bytes would change nothing. */
    push: (block: Uint8Array): boolean => {
      bytes += block.length;
      for (const trial of trials) {
        for (let from = 0; from < block.length && !trial.over; from += pieceBytes) {
          run(trial, () => trial.splitter.push(block.subarray(from, from + pieceBytes)));
        }
      }
      return bytes > sampleBytesMax || trials.every(({ over }) => over);
    },
    finish: (): void => {
      for (const trial of trials) run(trial, trial.splitter.finish);
    },
    best: (): string => trials.reduce((best, trial) => (score(trial) > score(best) ? trial : best)).delimiter,
  };
};
