/**
 * Requests that are over, for whoever counts or writes them down. They are told together and a moment late: between the work of other
 * requests, where none of its code is at hand any more, it takes the processor three times as long.
 */

/** A request whose answer is sent, or whose client is gone. */
export interface PastRequest {
  readonly requestId: string;
  readonly traceId: string;
  readonly method: string;
  /** The pattern of its path, or `unknown`. */
  readonly route: string;
  readonly status: number;
  /** From its first byte to the last of its answer. */
  readonly ms: number;
  /** Whether its client did not wait for the answer, or the answer broke off. */
  readonly isCut: boolean;
  /** Since 1970, in milliseconds. */
  readonly endedAtMs: number;
}

export interface PastRequests {
  readonly add: (request: PastRequest) => void;
  /** `listener` is told of all that are added from now on. */
  readonly follow: (listener: (requests: readonly PastRequest[]) => void) => void;
  /** Tells at once what is not told yet. */
  readonly tell: () => void;
}

const togetherMax = 64;
const latestMs = 50;

const all = new Set<() => void>();
const tellAll = (): void => {
  for (const tell of all) tell();
};
// Before the logger's own, which writes what it was given.
process.prependListener('beforeExit', tellAll);
process.prependListener('exit', tellAll);

export const createPastRequests = (): PastRequests => {
  const listeners: ((requests: readonly PastRequest[]) => void)[] = [];
  let untold: PastRequest[] = [];
  let timer: NodeJS.Timeout | undefined;
  const tell = (): void => {
    clearTimeout(timer);
    timer = undefined;
    all.delete(tell);
    const requests = untold;
    untold = [];
    if (requests.length > 0) for (const listener of listeners) listener(requests);
  };
  return {
    add: (request) => {
      untold.push(request);
      if (untold.length >= togetherMax) return tell();
      if (timer !== undefined) return;
      timer = setTimeout(tell, latestMs).unref();
      all.add(tell);
    },
    follow: (listener) => listeners.push(listener),
    tell,
  };
};
