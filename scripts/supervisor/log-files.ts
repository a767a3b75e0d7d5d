/** What each process writes, in a file of its own that cannot fill the disk. */
import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

export interface LogFile {
  readonly add: (line: string) => void;
  readonly close: () => void;
}

const bytesMax = 20 * 1024 * 1024;

/** `<name>.log`, and `<name>.log.1` with what was there before that grew too large. */
export const openLogFile = (directory: string, name: string, sizeMax = bytesMax): LogFile => {
  const file = join(directory, `${name}.log`);
  let descriptor = openSync(file, 'a', 0o600);
  let size = fstatSync(descriptor).size;
  let isOpen = true;
  return {
    // Written at once and not buffered: the last line before a crash is the one that is looked for.
    add: (line) => {
      // A process that outlived its supervisor's patience may still have something to say.
      if (!isOpen) return;
      if (size > sizeMax) {
        closeSync(descriptor);
        renameSync(file, `${file}.1`);
        descriptor = openSync(file, 'a', 0o600);
        size = 0;
      }
      size += writeSync(descriptor, `${line}\n`);
    },
    close: () => {
      isOpen = false;
      closeSync(descriptor);
    },
  };
};
