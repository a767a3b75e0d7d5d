/** A binary heap of nodes by distance, then by number, so that what comes first never depends on what was pushed first. */
export interface Heap {
  readonly push: (distance: number, node: number) => void;
  /** The nearest entry, or undefined where none is left. */
  readonly pop: () => { readonly distance: number; readonly node: number } | undefined;
}

export const createHeap = (): Heap => {
  const entries: { readonly distance: number; readonly node: number }[] = [];
  const isBefore = (one: number, other: number): boolean => {
    const a = entries[one];
    const b = entries[other];
    if (a === undefined || b === undefined) return a !== undefined;
    return a.distance < b.distance || (a.distance === b.distance && a.node < b.node);
  };
  const swap = (one: number, other: number): void => {
    const [a, b] = [entries[one], entries[other]];
    if (a === undefined || b === undefined) return;
    entries[one] = b;
    entries[other] = a;
  };
  return {
    push: (distance, node) => {
      let index = entries.push({ distance, node }) - 1;
      while (index > 0 && isBefore(index, (index - 1) >> 1)) {
        swap(index, (index - 1) >> 1);
        index = (index - 1) >> 1;
      }
    },
    pop: () => {
      swap(0, entries.length - 1);
      const first = entries.pop();
      for (let index = 0; ; ) {
        const left = 2 * index + 1;
        const least = isBefore(left + 1, left) ? left + 1 : left;
        if (!isBefore(least, index)) return first;
        swap(index, least);
        index = least;
      }
    },
  };
};
