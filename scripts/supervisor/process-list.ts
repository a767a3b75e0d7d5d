/** `processes.json`: which processes this Settler consists of, for people, tools, and the start after a crash of the supervisor. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { birthOf } from '@settler/local/processes/birth';
import { stopLeftovers } from '@settler/local/processes/leftovers';
import { z } from 'zod';
import { writeWhole } from './data-directory.ts';
import { type KeyMark, keyMark } from './encryption-keys.ts';

const entry = z.object({
  pid: z.number().int().positive(),
  port: z.number().int(),
  /** Tells the process from a later one with the same id. */
  birth: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  /** Of a service that stores secrets. */
  encryptionKeys: z.array(keyMark).optional(),
});
const schema = z.record(z.string(), entry);
type Entry = z.output<typeof entry>;

export interface ProcessList {
  readonly set: (name: string, process: Omit<Entry, 'birth'>) => void;
  readonly remove: () => void;
}

export const createProcessList = (file: string): ProcessList => {
  const entries = new Map<string, Entry>();
  return {
    set: (name, process) => {
      const birth = birthOf(process.pid);
      // It has ended already, or never started.
      if (birth === undefined) return;
      entries.set(name, { ...process, birth });
      writeWhole(file, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`);
    },
    remove: () => rmSync(file, { force: true }),
  };
};

/** The port of each process that is alive. */
export const runningPorts = (file: string): ReadonlyMap<string, number> =>
  new Map(Object.entries(read(file)).flatMap(([name, { pid, birth, port }]) => (birthOf(pid) === birth ? [[name, port]] : [])));

/** The encryption keys that a process was started with; undefined of one that has none. */
export const runningKeys = (file: string, name: string): readonly KeyMark[] | undefined => read(file)[name]?.encryptionKeys;

/** Stops what a supervisor that was killed has left running. Returns the names. */
export const stopListed = async (file: string, graceMs: number): Promise<string[]> => {
  const listed = Object.entries(read(file));
  const services = listed.filter(([, { stopSignal }]) => stopSignal === 'SIGTERM');
  const databases = listed.filter(([, { stopSignal }]) => stopSignal !== 'SIGTERM');
  // The database last, as in every orderly stop.
  const stopped = [...(await stopLeftovers(services.map(toRecord), graceMs)), ...(await stopLeftovers(databases.map(toRecord), graceMs))];
  rmSync(file, { force: true });
  return listed.filter(([, { pid }]) => stopped.some((record) => record.pid === pid)).map(([name]) => name);
};

const toRecord = ([, { pid, birth, stopSignal }]: [string, Entry]) => ({ pid, birth, stopSignal });

const read = (file: string): Record<string, Entry> => {
  if (!existsSync(file)) return {};
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    // It is only ever written whole, so somebody has edited it; a server that still runs will say so when it cannot be started.
    return {};
  }
};
