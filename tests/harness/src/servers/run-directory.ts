/**
 * What a run keeps on disk: the servers' files, and which processes it started. A run that is killed can neither stop nor
 * remove them, so the next run does. The directory is named after the run's own process, which tells whether the run still lives.
 */
import { appendFileSync, chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { birthOf } from '@settler/local/processes/birth';
import { type ProcessRecord, stopLeftovers } from '@settler/local/processes/leftovers';

const namePattern = /^settler-test-(\d+)-(\d+)$/;
const recordsIn = (directory: string) => join(directory, 'processes');
const graceMs = 5_000;

export const createRunDirectory = (): string => {
  const directory = join(tmpdir(), `settler-test-${process.pid}-${birthOf(process.pid) ?? '0'}`);
  mkdirSync(directory);
  // Open whatever the umask says: PostgreSQL must pass through it as another user when this one is root.
  chmodSync(directory, 0o755);
  return directory;
};

/** May be called from any worker. */
export const recordProcess = (directory: string, pid: number, stopSignal: NodeJS.Signals): void => {
  const birth = birthOf(pid);
  if (birth !== undefined) appendFileSync(recordsIn(directory), `${JSON.stringify({ pid, birth, stopSignal } satisfies ProcessRecord)}\n`);
};

/** Ends what is still running of it. */
export const stopRecorded = (directory: string): Promise<unknown> => stopLeftovers(readRecords(recordsIn(directory)), graceMs);

/** Ends what is still running of it, and forgets it. */
export const clearRunDirectory = async (directory: string): Promise<void> => {
  await stopRecorded(directory);
  rmSync(directory, { recursive: true, force: true });
};

/** Whether the run of that name is still under way; what is no name of a run is no run of ours to end. */
export const isAlive = (name: string): boolean => {
  const [, pid, birth] = namePattern.exec(name) ?? [];
  return pid === undefined || birthOf(Number(pid)) === birth;
};

export const clearDeadRuns = async (): Promise<void> => {
  for (const name of readdirSync(tmpdir())) {
    if (isAlive(name)) continue;
    // Another user's leftovers are that user's to remove, and what they list is nothing to send signals by. Gone: a run beside this one was faster.
    if (lstatSync(join(tmpdir(), name), { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue;
    await clearRunDirectory(join(tmpdir(), name));
  }
};

const readRecords = (file: string): ProcessRecord[] => {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as ProcessRecord);
};
