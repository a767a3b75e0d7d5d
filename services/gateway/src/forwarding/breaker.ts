/**
 * A breaker before each service: open at 50 % or more of at least 20 calls in 10 s, so that a sick service is left alone and its
 * callers are told at once. What counts against it is no answer, and 502, 503 and 504; every other answer is the caller's affair.
 */
import CircuitBreaker from 'opossum';

const rollingMs = 10_000;
const callsMin = 20;
/** opossum opens above its percentage; this makes it open at 50. */
const failurePercentage = 49.999;

/** Says that a failure is not the service's, for instance that the client went away. */
export interface Blameless {
  readonly isBlameless: true;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

export interface Breaker {
  /** @throws BreakerOpen, or what the call throws */
  readonly call: <Result>(action: () => Promise<Result>) => Promise<Result>;
  readonly state: () => BreakerState;
  readonly stop: () => void;
}

export class BreakerOpen extends Error {
  override readonly name = 'BreakerOpen';
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number) {
    super('the breaker is open');
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export const createBreaker = (name: string, openMs: number, onChange: (state: BreakerState) => void): Breaker => {
  let openedAtMs = 0;
  const circuit: CircuitBreaker<[() => Promise<unknown>], unknown> = new CircuitBreaker(
    async (action: () => Promise<unknown>) => action(),
    {
      name,
      // Each route has a deadline of its own.
      timeout: false,
      resetTimeout: openMs,
      rollingCountTimeout: rollingMs,
      volumeThreshold: callsMin,
      errorThresholdPercentage: failurePercentage,
      rollingPercentilesEnabled: false,
      enableSnapshots: false,
      // opossum takes a filtered error for a success, which must not close a breaker that is only trying.
      errorFilter: (error: Partial<Blameless>) => error.isBlameless === true && !circuit.halfOpen,
    },
  );
  circuit.on('open', () => {
    openedAtMs = performance.now();
    onChange('open');
  });
  circuit.on('halfOpen', () => onChange('half-open'));
  circuit.on('close', () => onChange('closed'));

  return {
    call: async <Result>(action: () => Promise<Result>) => {
      try {
        return (await circuit.fire(action)) as Result;
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error) || error.code !== 'EOPENBREAKER') throw error;
        throw new BreakerOpen(Math.max(1, Math.ceil((openedAtMs + openMs - performance.now()) / 1000)));
      }
    },
    state: () => (circuit.opened ? 'open' : circuit.halfOpen ? 'half-open' : 'closed'),
    stop: () => circuit.shutdown(),
  };
};
