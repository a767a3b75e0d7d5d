/** What is at stake where a person has to settle something. */
export interface Stake {
  readonly currency: string | null;
  /** Null where nobody knows it. */
  readonly amountMinor: bigint | null;
}

/** Whichever way the money goes. */
export const sizeOf = (amountMinor: bigint): bigint => (amountMinor < 0n ? -amountMinor : amountMinor);
