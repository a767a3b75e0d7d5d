/** Answers that stay open for minutes. Whoever may no longer ask must not go on listening either. */
import type { Caller } from '../authentication/caller.ts';

export interface OpenStreams {
  /** Ends the stream when its credential does. Returns how to forget it. */
  readonly add: (caller: Caller, finish: () => void) => () => void;
  /** Ends those of this key, session or user; without a name all of them, whose clients come back and show who they are. */
  readonly endFor: (id?: string) => void;
}

/** The longest that a timer waits. */
const timerMsMax = 2 ** 31 - 1;

export const createOpenStreams = (): OpenStreams => {
  const open = new Map<symbol, { readonly caller: Caller; readonly finish: () => void }>();
  return {
    add: (caller, finish) => {
      const key = Symbol('stream');
      const timer = setTimeout(finish, Math.min(caller.expiresAtMs - Date.now(), timerMsMax));
      open.set(key, { caller, finish });
      return () => {
        clearTimeout(timer);
        open.delete(key);
      };
    },
    endFor: (id) => {
      for (const { caller, finish } of open.values()) if (id === undefined || caller.id === id || caller.sessionId === id) finish();
    },
  };
};
