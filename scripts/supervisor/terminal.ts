/** What of a service's log a person at the terminal should see: what went wrong. The rest is in its file. */
import { z } from 'zod';

const entry = z.object({ level: z.string(), msg: z.string().default('') });
const shownLevels = new Set(['error', 'fatal']);

/** The text to show, or undefined. */
export const worthShowing = (line: string): string | undefined => {
  const parsed = entry.safeParse(parse(line));
  // Not a log entry: the last words of a process that could not even start to log.
  if (!parsed.success) return line;
  return shownLevels.has(parsed.data.level) ? parsed.data.msg : undefined;
};

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};
