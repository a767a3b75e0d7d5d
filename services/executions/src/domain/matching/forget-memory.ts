/** What the engine keeps between two runs of a thread, because the next one mostly needs the same again, is let go. */
import { forgetScratch } from './columns/scratch.ts';
import { forgetSweepMemory } from './join/sweep-kernel.ts';
import { forgetIdMemory } from './shared-ids.ts';

export const forgetMemory = (): void => {
  forgetScratch();
  forgetSweepMemory();
  forgetIdMemory();
};
