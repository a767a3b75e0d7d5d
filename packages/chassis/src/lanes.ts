/** What is of one aggregate is worked on in its order, at most so many at a time; what is of different ones side by side. */
export const createLanes = <Item>(atOnceMax: number, work: (items: readonly Item[]) => Promise<void>) => {
  const lanes = new Map<string, { readonly waiting: Item[]; readonly ended: Promise<void> }>();
  const runLane = async (lane: string, waiting: Item[]) => {
    try {
      while (waiting.length > 0) await work(waiting.splice(0, atOnceMax));
    } finally {
      lanes.delete(lane);
    }
  };
  return {
    add: (lane: string, item: Item) => {
      const known = lanes.get(lane);
      if (known !== undefined) {
        known.waiting.push(item);
        return;
      }
      const waiting = [item];
      // Begun a moment later, once the lane is known and what has come with this one is in it.
      lanes.set(lane, { waiting, ended: Promise.resolve().then(() => runLane(lane, waiting)) });
    },
    idle: async () => {
      while (lanes.size > 0) await Promise.all([...lanes.values()].map(({ ended }) => ended));
    },
  };
};
