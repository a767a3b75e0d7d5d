/** The month's partition of results, which only the system role may touch. */
export const resultPartition = (createdAt: Date): string => `results_${createdAt.toISOString().slice(0, 7).replace('-', '_')}`;
