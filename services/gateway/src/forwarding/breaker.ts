/**
 * A breaker before each service: open at 50 % or more of at least 20 calls in 10 s, so that a sick service is left alone and its
 * callers are told at once. What counts against it is no answer, and 502, 503 and 504; every other answer is the caller's affair.
 * After a while one call is let through on trial, and how it ends decides whether the breaker closes.
 */
import { Refusal } from '@settler/chassis/refusal';
import CircuitBreaker from 'opossum';

const rollingMs = 10_000;
const callsMin = 20;
/** opossum opens above its percentage; this makes it open at 50. */
const failurePercentage = 49.999;
/** A call on trial may be an upload of minutes. Nobody else should have to wait for its end. */
const trialMs = 2_000;

/**
 * Says that a failure is not the service's, for instance that the client went away. A refusal needs not say so: it is about who asks, and
 * twenty clients that dawdle must not close the service to everybody.
 */
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
  /** How often it has opened: what began before is about another time. */
  let openings = 0;
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
    openings += 1;
    onChange('open');
  });
  circuit.on('halfOpen', () => onChange('half-open'));
  circuit.on('close', () => onChange('closed'));

  /** What a call on trial says about the service, or the service itself where the call says nothing, or not soon. */
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
   * much. Where it has opened since the call began, how that ended says nothing about how the service is now.
   */
  const counted = <Result>(action: () => Promise<Result>): Promise<Result> => {
    const begunIn = openings;
    const counts = (): boolean => circuit.closed && openings === begunIn;
    return action().then(
      (result) => {
        if (counts()) {
          circuit.emit('fire');
          circuit.emit('success');
        }
        return result;
      },
      (error: unknown) => {
        if (counts() && !isBlameless(error)) return circuit.fire(() => Promise.reject(error)) as Promise<never>;
        throw error;
      },
    );
  };
  /** The circuit is given the verdict and the caller the result, because they differ in what they have to wait for. */
  const onTrial = <Result>(action: () => Promise<Result>): Promise<Result> => {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    const judged = circuit.fire(() => {
      const running = action();
      running.then(resolve, reject);
      return verdictOfTrial(running);
    });
    judged.catch(() => {});
    return promise;
  };

  return {
    call: (action) => {
      if (circuit.closed) return counted(action);
      if (circuit.pendingClose && !circuit.isShutdown) return onTrial(action);
      // Not fired: what was refused would count among the calls, and many good ones would seem to have been made.
      return Promise.reject(new BreakerOpen(Math.max(1, Math.ceil((openedAtMs + openMs - performance.now()) / 1000))));
    },
    stop: () => circuit.shutdown(),
  };
};

const isBlameless = (error: unknown): boolean => error instanceof Refusal || (error as Partial<Blameless> | null)?.isBlameless === true;
