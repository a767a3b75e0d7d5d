/**
 * The memory of a matching thread. Its heap is bounded by the engine of JavaScript itself; columns lie outside of the heap, where nobody
 * counts but us.
 */
import { getHeapStatistics } from 'node:v8';
import { workerData } from 'node:worker_threads';
import { MatchingRefused } from '../../application/ports.ts';

export interface ThreadData {
  readonly memoryMb: number;
}

export const outOfMemory = (memoryMb: number): MatchingRefused =>
  new MatchingRefused(
    'out_of_memory',
    `Matching these inputs needs more than ${memoryMb} MB; raise WORKER_MEMORY_MB or split the run by period.`,
  );

/** To be asked wherever much may have been added, in the thread itself. @throws MatchingRefused */
export const requireMemory = (): void => {
  const { memoryMb } = workerData as ThreadData;
  const { used_heap_size: heap, external_memory: columns } = getHeapStatistics();
  if (heap + columns > memoryMb * 2 ** 20) throw outOfMemory(memoryMb);
};
