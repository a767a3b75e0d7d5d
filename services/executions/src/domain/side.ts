/** The two inputs of a run. */
export const sides = ['source', 'target'] as const;
export type Side = (typeof sides)[number];
