/**
 * A breaker before each service: open at 50 % or more of at least 20 calls in 10 s, so that a sick service is left alone and its
 * callers are told at once. What counts against it is no answer, and 502, 503 and 504; every other answer is the caller's affair.
 * After a while one call is let through on trial, and how it ends decides whether the breaker closes.
 */
import CircuitBreaker from 'opossum';

const rollingMs = 10_000;
const callsMin = 20;
/** opossum opens above its percentage; this makes it open at 50. */
const failurePercentage = 49.999;
/** A call on trial may be an upload of minutes. Nobody else should have to wait for its end. */
const trialMs = 2_000;

/** Says that a failure is not the service's, for instance that the client went away. */
export interface Blameless {
  readonly isBlameless: true;
}

export type BreakerState = 'closed' | 'half-open' | 'open';

export interface BreakerOptions {
  readonly name: string;
  /** How long nobody is let through. */
  readonly openMs: number;
  /** Asks the service itself how it is, where a call on trial tells nothing. @throws where it is not well */
  readonly probe: () => Promise<void>;
  readonly onChange: (state: BreakerState) => void;
}

export interface Breaker {
  /** @throws BreakerOpen, or what the call throws */
  readonly call: <Result>(action: () => Promise<Result>) => Promise<Result>;
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

export const createBreaker = ({ name, openMs, probe, onChange }: BreakerOptions): Breaker => {
  let openedAtMs = 0;
  const circuit: CircuitBreaker<[() => Promise<unknown>], unknown> = new CircuitBreaker((judge: () => Promise<unknown>) => judge(), {
    name,
    // Each route has a deadline of its own.
    timeout: false,
    resetTimeout: openMs,
    rollingCountTimeout: rollingMs,
    volumeThreshold: callsMin,
    errorThresholdPercentage: failurePercentage,
    rollingPercentilesEnabled: false,
    enableSnapshots: false,
  });
  circuit.on('open', () => {
    openedAtMs = performance.now();
    onChange('open');
  });
  circuit.on('halfOpen', () => onChange('half-open'));
  circuit.on('close', () => onChange('closed'));

  /** What a call says about the service: nothing, for ever, where it failed through no fault of it. */
  const verdictOf = (running: Promise<unknown>): Promise<unknown> =>
    new Promise((resolve, reject) => {
      running.then(resolve, (error: unknown) => isBlameless(error) || reject(error));
    });
  const verdictOfTrial = async (running: Promise<unknown>): Promise<unknown> => {
    const told = running.catch((error: unknown) => (isBlameless(error) ? probe() : Promise.reject(error)));
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, trialMs);
    try {
      return await Promise.race([told, late.then(probe)]);
    } finally {
      clearTimeout(timer);
    }
  };

  /**
   * What a closed circuit lets through anyway is told to it once it is over, in its own events: to be asked before costs it five times as
   * much. Where it is no longer closed by then, what is over says nothing about how the service is now.
   */
  const counted = <Result>(running: Promise<Result>): Promise<Result> =>
    running.then(
      (result) => {
        if (circuit.closed) {
          circuit.emit('fire');
          circuit.emit('success');
        }
        return result;
      },
      (error: unknown) => {
        if (circuit.closed && !isBlameless(error)) return circuit.fire(() => Promise.reject(error)) as Promise<never>;
        throw error;
      },
    );
  /** The circuit is given the verdict and the caller the result, because they differ in what they have to wait for. */
  const fired = <Result>(action: () => Promise<Result>): Promise<Result> =>
    new Promise((resolve, reject) => {
      const judged = circuit.fire(() => {
        const isOnTrial = circuit.halfOpen;
        const running = action();
        running.then(resolve, reject);
        return isOnTrial ? verdictOfTrial(running) : verdictOf(running);
      });
      judged.catch((error: unknown) => {
        if (!(error instanceof Error) || !('code' in error) || error.code !== 'EOPENBREAKER') return reject(error);
        reject(new BreakerOpen(Math.max(1, Math.ceil((openedAtMs + openMs - performance.now()) / 1000))));
      });
    });

  return {
    call: (action) => (circuit.closed ? counted(action()) : fired(action)),
    stop: () => circuit.shutdown(),
  };
};

const isBlameless = (error: unknown): boolean => (error as Partial<Blameless> | null)?.isBlameless === true;
