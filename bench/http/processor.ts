/** Processor time of a process and its children, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

const msPerTick = 10;

interface Entry {
  readonly parent: number;
  readonly ticks: number;
}

const entryOf = (pid: string): Entry | undefined => {
  try {
    // The name, in brackets, may hold anything.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return { parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) };
  } catch {
    // It has ended in the meantime.
    return undefined;
  }
};

/** User and system time until now, in milliseconds, to the nearest 10. */
export const processorMs = (pid: number): number => {
  const entries = new Map<number, Entry>();
  for (const name of readdirSync('/proc')) {
    const entry = /^\d+$/.test(name) ? entryOf(name) : undefined;
    if (entry !== undefined) entries.set(Number(name), entry);
  }
  const isOurs = (at: number): boolean => at === pid || (entries.has(at) && isOurs((entries.get(at) as Entry).parent));
  return [...entries].reduce((sum, [at, { ticks }]) => (isOurs(at) ? sum + ticks * msPerTick : sum), 0);
};
