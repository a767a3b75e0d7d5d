/** Tells a process that we started from a later one that was given the same id. */
import { readFileSync } from 'node:fs';

/**
 * When the process with this id started, in clock ticks since the machine's boot, or undefined when there is none.
 * Id and birth together name a process for as long as the machine is up.
 */
export const birthOf = (pid: number): string | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may contain anything, so counting starts behind it.
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state === 'Z' ? undefined : fields[18];
  } catch {
    return undefined;
  }
};
