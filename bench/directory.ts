/** Where the servers of a benchmark keep what they have, until it is over. */
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** All that were made, which are removed by whoever made them. */
export const temporaryDirectories: string[] = [];

/** Open to be passed through: else, when this is root, PostgreSQL's files go to a directory elsewhere that outlives the run. */
export const temporaryDirectory = (name: string): string => {
  const path = mkdtempSync(join(tmpdir(), name));
  chmodSync(path, 0o711);
  temporaryDirectories.push(path);
  return path;
};
