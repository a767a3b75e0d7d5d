/** Waits for a condition instead of for a time. */
import { setTimeout as delay } from 'node:timers/promises';

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** For the message when it never comes true: `the execution to complete`. */
  readonly what: string;
  readonly intervalMs?: number;
}

/**
 * Calls `condition` until it returns something other than undefined, null or false, and returns that.
 * @throws after `timeoutMs`, with what the condition threw last if it threw.
 */
export const waitFor = async <Value>(
  condition: () => Value | Promise<Value>,
  { timeoutMs = 30_000, what, intervalMs = 20 }: WaitOptions,
): Promise<NonNullable<Exclude<Value, false>>> => {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      cause = undefined;
      if (value !== undefined && value !== null && value !== false) return value as NonNullable<Exclude<Value, false>>;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}.`, { cause });
    await delay(intervalMs);
  }
};
