/** Subset search as a pass asks for it, and a service that goes on answering while it matches. */
import { type Figure, measured } from '../measure/figures.ts';
import type { Suite } from './suite.ts';

export const serviceFigures = async ({ sizes, inTurn }: Suite): Promise<Figure[]> => {
  const { subsets, thread } = await inTurn({ subsets: ['own/subsets'], thread: ['own/thread', sizes.whole] });
  const before = measured(thread, 'before, MB');
  return [
    { name: 'subset of 50 candidates, median', value: measured(subsets, 'n=50 median ms'), unit: 'ms', most: 1 },
    { name: 'subset of 200 candidates, 95th percentile', value: measured(subsets, 'n=200 p95 ms'), unit: 'ms', most: 60 },
    { name: 'longest wait in the event loop', value: measured(thread, 'longest wait ms'), unit: 'ms', most: 50 },
    { name: 'cancelling, longest', value: measured(thread, 'cancelling, longest ms'), unit: 'ms', most: 500 },
    {
      name: 'memory kept of what a run took',
      value: (measured(thread, 'after all runs, MB') - before) / (measured(thread, 'at its peak, MB') - before),
      unit: '×',
      most: 0.1,
    },
  ];
};
