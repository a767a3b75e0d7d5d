/** Runs every part, also after one has failed, because who mends one thing wants to know of the others. */
import { type Outcome, type Part, parts } from './parts.ts';

/** Prints a line per part. Returns whether all of them passed. */
export const runCheck = async (): Promise<boolean> => {
  let isOk = true;
  for (const part of parts) {
    const startedAt = performance.now();
    const outcome = await outcomeOf(part);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${outcome.isOk ? '✓' : '✗'} ${[part.name, outcome.summary].filter((words) => words !== '').join(', ')} (${seconds} s)`);
    if (outcome.isOk) continue;
    isOk = false;
    console.log(`\n${outcome.output}\n`);
  }
  return isOk;
};

const outcomeOf = async (part: Part): Promise<Outcome> => {
  try {
    return await part.run();
  } catch (error) {
    return { isOk: false, summary: '', output: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
};
