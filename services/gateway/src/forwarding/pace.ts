/**
 * How slowly a client may send. It may stand still for a while, in one go or in several; what it sends earns that time back, at the rate
 * that is asked of everybody. So a link that stalls and goes on is borne, and one that trickles is not.
 */
export interface Pace {
  readonly bytesPerSecondMin: number;
  readonly stallMs: number;
}

/**
 * Looks after `ms` more: `bytes` are all that have come, and `isWaitedFor` says whether there is nothing to do but wait for more. Returns
 * whether the client keeps the pace.
 */
export type KeepsPace = (ms: number, bytes: number, isWaitedFor: boolean) => boolean;

export const followPace = ({ bytesPerSecondMin, stallMs }: Pace): KeepsPace => {
  let leftMs = stallMs;
  let seenBytes = 0;
  return (ms, bytes, isWaitedFor) => {
    const earnedMs = ((bytes - seenBytes) * 1000) / bytesPerSecondMin;
    seenBytes = bytes;
    leftMs = Math.min(stallMs, leftMs + earnedMs - (isWaitedFor ? ms : 0));
    return leftMs > 0;
  };
};
