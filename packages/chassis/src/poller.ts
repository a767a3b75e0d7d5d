/** Looks for work that is due, again and again, until it is stopped: at once where there may be more or somebody woke it, else after a while. */

export interface Poller {
  /** Has it look at once, and once more if it is looking now. */
  readonly wake: () => void;
  /** Returns when the round that is under way is over. */
  readonly stop: () => Promise<void>;
}

/** @param look says whether there may be more; never throws */
export const startPoller = (pollMs: number, look: () => Promise<boolean>): Poller => {
  let isStopping = false;
  let isWoken = false;
  let rouse = () => {};

  const loop = async (): Promise<void> => {
    while (!isStopping) {
      isWoken = false;
      if ((await look()) || isWoken || isStopping) continue;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, pollMs);
        rouse = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  };
  const ended = loop();
  return {
    wake: () => {
      isWoken = true;
      rouse();
    },
    stop: async () => {
      isStopping = true;
      rouse();
      await ended;
    },
  };
};
