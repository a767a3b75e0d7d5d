/** What one process measured of itself, and how it hands that to the command that started it: one line of JSON. */

export interface Timing {
  /** User and system time of the whole process, its collector's and compiler's threads included. */
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** The same work several times in one process: the first call meets cold code, the later ones do not. */
export interface Sample {
  readonly cold: Timing;
  readonly warm: readonly Timing[];
  /** What every implementation must agree on. */
  readonly rows: number;
  readonly checksum: number;
}

export interface Report {
  readonly samples: Readonly<Record<string, Sample>>;
  /** Anything else that was measured, by name and with its unit there. */
  readonly values: Readonly<Record<string, number>>;
  readonly peakMb: number;
}

export interface Answer {
  readonly rows: number;
  readonly checksum: number;
}

export const timed = async <Value>(work: () => Value | Promise<Value>): Promise<Timing & { readonly value: Value }> => {
  const wallStart = performance.now();
  const cpuStart = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(cpuStart);
  return { value, cpuMs: (user + system) / 1e3, wallMs: performance.now() - wallStart };
};

/**
 * The collector runs before the first call, which is not to pay for what loading left behind. Between calls it runs when it wants to, as
 * in any program, and in their time: where it is forced to, V8 throws away what it had compiled for objects that are no more, and each
 * call begins cold.
 */
export const sampled = async (warmCalls: number, work: () => Answer | Promise<Answer>): Promise<Sample> => {
  const timings: Timing[] = [];
  let answer: Answer = { rows: 0, checksum: 0 };
  collectGarbage();
  for (let call = 0; call <= warmCalls; call += 1) {
    const { value, cpuMs, wallMs } = await timed(work);
    if (call > 0 && (value.rows !== answer.rows || value.checksum !== answer.checksum)) throw new Error('two calls gave different results');
    answer = value;
    timings.push({ cpuMs, wallMs });
  }
  const [cold = { cpuMs: 0, wallMs: 0 }, ...warm] = timings;
  return { ...answer, cold, warm };
};

export const collectGarbage = (): void => {
  if (globalThis.gc === undefined) throw new Error('start this program with --expose-gc');
  globalThis.gc();
};

/** The last thing a program does. */
export const report = ({ samples = {}, values = {} }: Partial<Omit<Report, 'peakMb'>>): void => {
  const peakMb = process.resourceUsage().maxRSS / 1024;
  process.stdout.write(`${JSON.stringify({ samples, values, peakMb } satisfies Report)}\n`);
};

/** A pair in every checksum, by its rows: of the same pairs in whatever order it is the same whole number. */
export const weightOf = (order: number, payment: number): number => order * 31 + payment;
