/** Runs every part, also after one has failed, because who mends one thing wants to know of the others. */
import { type Outcome, type Part, parts } from './parts.ts';

/** Prints a line per part, in order. Returns whether all of them passed. */
export const runCheck = async (): Promise<boolean> => {
  let isOk = true;
  // At once, because most of them have one thread and the machine has more.
  const running = parts.map((part) => ({ part, ended: timed(part) }));
  for (const { part, ended } of running) {
    const { outcome, seconds } = await ended;
    console.log(`${outcome.isOk ? '✓' : '✗'} ${[part.name, outcome.summary].filter((words) => words !== '').join(', ')} (${seconds} s)`);
    if (outcome.isOk) continue;
    isOk = false;
    console.log(`\n${outcome.output}\n`);
  }
  return isOk;
};

const timed = async (part: Part): Promise<{ readonly outcome: Outcome; readonly seconds: string }> => {
  const startedAt = performance.now();
  const outcome = await outcomeOf(part);
  return { outcome, seconds: ((performance.now() - startedAt) / 1000).toFixed(1) };
};

const outcomeOf = async (part: Part): Promise<Outcome> => {
  try {
    return await part.run();
  } catch (error) {
    return { isOk: false, summary: '', output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};
