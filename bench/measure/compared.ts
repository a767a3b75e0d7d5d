/** A measure of similarity over the pairs of names, the same for everybody's. */
import { inventBlocks } from '../inputs/names.ts';
import { createRandom } from '../inputs/random.ts';
import { type Answer, report, sampled } from './sample.ts';

export const pairCount = 1_000_000;
export const blocks = () => inventBlocks(pairCount, createRandom(17));

/** Scores are summed in millionths, as whole numbers: floats would add up differently in a different order. */
export const reportCompared = async (name: string, warmCalls: number, sumOfMillionths: () => number): Promise<void> => {
  const run = (): Answer => ({ rows: pairCount, checksum: sumOfMillionths() });
  report({ samples: { [name]: await sampled(warmCalls, run) } });
};
