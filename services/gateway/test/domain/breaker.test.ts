import { Refusal } from '@settler/chassis/refusal';
import { waitFor } from '@settler/harness';
import { describe, expect, test } from 'vitest';
import { type Breaker, BreakerOpen, type BreakerState, createBreaker } from '../../src/forwarding/breaker.ts';

const blameless = Object.assign(new Error('the client went away'), { isBlameless: true });
const fault = new Error('no answer');
const good = async () => 'fine';
const bad = async () => Promise.reject(fault);
const gone = async () => Promise.reject(blameless);

const create = (options: { openMs?: number; probe?: () => Promise<void> } = {}) => {
  const states: BreakerState[] = [];
  let probes = 0;
  const breaker = createBreaker({
    name: 'service',
    openMs: options.openMs ?? 20,
    probe: async () => {
      probes += 1;
      await options.probe?.();
    },
    onChange: (state) => states.push(state),
  });
  return { breaker, states, probes: () => probes };
};

const repeat = async (times: number, breaker: Breaker, action: () => Promise<unknown>): Promise<void> => {
  for (let call = 0; call < times; call += 1) await breaker.call(action).catch(() => undefined);
};
const until = (states: readonly BreakerState[], state: BreakerState) =>
  waitFor(() => states.at(-1) === state, { what: `it to be ${state}`, intervalMs: 1 });

describe('a breaker', () => {
  test('lets everything through below twenty calls, and below half of them', async () => {
    const few = create();
    await repeat(19, few.breaker, bad);
    expect(few.states).toEqual([]);
    await expect(few.breaker.call(good)).resolves.toBe('fine');
    const most = create();
    await repeat(21, most.breaker, good);
    await repeat(20, most.breaker, bad);
    expect(most.states).toEqual([]);
    await repeat(1, most.breaker, bad);
    expect(most.states).toEqual(['open']);
  });

  test('opens at exactly half', async () => {
    const { breaker, states } = create({ openMs: 60_000 });
    await repeat(10, breaker, good);
    await repeat(10, breaker, bad);
    expect(states).toEqual(['open']);
    await expect(breaker.call(good)).rejects.toBeInstanceOf(BreakerOpen);
    await expect(breaker.call(good)).rejects.toMatchObject({ retryAfterSeconds: 60 });
    breaker.stop();
  });

  test('gives back what the call gives, and throws what it throws', async () => {
    const { breaker } = create();
    await expect(breaker.call(good)).resolves.toBe('fine');
    await expect(breaker.call(bad)).rejects.toBe(fault);
    await expect(breaker.call(gone)).rejects.toBe(blameless);
  });

  test('never opens for what is not the service’s fault', async () => {
    const { breaker, states } = create();
    await repeat(200, breaker, gone);
    await repeat(200, breaker, () => Promise.reject(new Refusal('request_timeout', 'too slow')));
    expect(states).toEqual([]);
  });

  test('lets one call through on trial, and nobody else meanwhile', async () => {
    const { breaker, states } = create();
    await repeat(20, breaker, bad);
    await until(states, 'half-open');
    const { promise, resolve } = Promise.withResolvers<string>();
    const trial = breaker.call(() => promise);
    for (let others = 0; others < 3; others += 1) await expect(breaker.call(good)).rejects.toBeInstanceOf(BreakerOpen);
    resolve('fine');
    await expect(trial).resolves.toBe('fine');
    await until(states, 'closed');
    await expect(breaker.call(good)).resolves.toBe('fine');
  });

  test('opens again when the call on trial fails', async () => {
    const { breaker, states } = create();
    await repeat(20, breaker, bad);
    await until(states, 'half-open');
    await expect(breaker.call(bad)).rejects.toBe(fault);
    expect(states.slice(-2)).toEqual(['half-open', 'open']);
  });

  test('does not count those that it refused: after a good trial half of twenty are enough again', async () => {
    const { breaker, states } = create({ openMs: 1_000 });
    await repeat(20, breaker, bad);
    await repeat(500, breaker, good);
    await until(states, 'half-open');
    await breaker.call(good);
    await until(states, 'closed');
    await repeat(20, breaker, bad);
    expect(states.at(-1)).toBe('open');
    breaker.stop();
  });

  test('lets no call that began before it opened say anything about the time after', async () => {
    const { breaker, states } = create();
    const late = Promise.withResolvers<string>();
    const hanging = breaker.call(() => late.promise);
    await repeat(20, breaker, bad);
    await until(states, 'half-open');
    await breaker.call(good);
    await until(states, 'closed');
    late.reject(fault);
    await expect(hanging).rejects.toBe(fault);
    expect(states.at(-1)).toBe('closed');
  });

  test('gives the caller what the call on trial gives, whatever was said of the service before', async () => {
    const { breaker, states } = create({ probe: bad });
    await repeat(20, breaker, bad);
    await until(states, 'half-open');
    const { promise, resolve } = Promise.withResolvers<string>();
    const upload = breaker.call(() => promise);
    await until(states, 'open');
    resolve('stored');
    await expect(upload).resolves.toBe('stored');
  });

  test('asks the service where the call on trial tells nothing', async () => {
    const well = create();
    await repeat(20, well.breaker, bad);
    await until(well.states, 'half-open');
    await expect(well.breaker.call(gone)).rejects.toBe(blameless);
    await until(well.states, 'closed');
    expect(well.probes()).toBe(1);

    const sick = create({ probe: bad });
    await repeat(20, sick.breaker, bad);
    await until(sick.states, 'half-open');
    await repeat(1, sick.breaker, gone);
    await until(sick.states, 'open');
    expect(sick.probes()).toBe(1);
  });

  test('does not wait for the end of a long call on trial', async () => {
    const { breaker, states, probes } = create();
    await repeat(20, breaker, bad);
    await until(states, 'half-open');
    const { promise, resolve } = Promise.withResolvers<string>();
    const upload = breaker.call(() => promise);
    await until(states, 'closed');
    expect(probes()).toBe(1);
    resolve('stored');
    await expect(upload).resolves.toBe('stored');
  });
});
