/**
 * How far a value may lie from another: absolute, in percent or basis points; with several given, the larger counts. Bounds are
 * inclusive and unrounded. Distances are whole minor units, so a bound is compared by the last whole unit inside it, which is
 * computed exactly.
 */
import type { Limit } from '@settler/contracts/rules';

export interface CompiledLimit {
  /** The greatest whole distance inside the limit; NaN of a share of no amount. `magnitude` is the absolute source amount in minor units. */
  readonly within: (magnitude: number, exponent: number) => number;
  /** The limit itself, for scores. */
  readonly bound: (magnitude: number, exponent: number) => number;
}

export const compileLimit = ({ absolute, percent, bps }: Limit): CompiledLimit => {
  const fixed = absolute === undefined ? undefined : exponentTable((exponent) => inMinorUnits(absolute, exponent));
  const shares = [...(percent === undefined ? [] : [shareOf(percent, 2)]), ...(bps === undefined ? [] : [shareOf(bps, 4)])];
  const [share, otherShare] = shares;
  return {
    within: (magnitude, exponent) => {
      let most = fixed === undefined ? 0 : (fixed.whole[exponent] as number);
      if (share !== undefined) most = Math.max(most, wholeShare(magnitude, share));
      if (otherShare !== undefined) most = Math.max(most, wholeShare(magnitude, otherShare));
      return most;
    },
    bound: (magnitude, exponent) => {
      let most = fixed === undefined ? 0 : (fixed.exact[exponent] as number);
      if (share !== undefined) most = Math.max(most, magnitude * share.factor);
      if (otherShare !== undefined) most = Math.max(most, magnitude * otherShare.factor);
      return most;
    },
  };
};

const exponentMax = 8;

const exponentTable = (limitAt: (exponent: number) => { readonly whole: number; readonly exact: number }) => {
  const values = Array.from({ length: exponentMax + 1 }, (_, exponent) => limitAt(exponent));
  return { whole: Float64Array.from(values, ({ whole }) => whole), exact: Float64Array.from(values, ({ exact }) => exact) };
};

const inMinorUnits = (decimal: string, exponent: number): { readonly whole: number; readonly exact: number } => {
  const [whole = '', fraction = ''] = decimal.split('.');
  return { whole: Number(whole + fraction.slice(0, exponent).padEnd(exponent, '0')), exact: Number(decimal) * 10 ** exponent };
};

/** A share of an amount as numerator ÷ divisor, both whole. */
export interface Share {
  readonly numerator: bigint;
  readonly divisor: bigint;
  readonly factor: number;
}

/** `digits`: 2 for percent, 4 for basis points. */
export const shareOf = (decimal: string, digits: number): Share => {
  const [whole = '', fraction = ''] = decimal.split('.');
  const kept = fraction.replace(/0+$/, '');
  const numerator = BigInt(whole + kept);
  const divisor = 10n ** BigInt(kept.length + digits);
  return { numerator, divisor, factor: Number(numerator) / Number(divisor) };
};

/** The whole part of magnitude × share, exactly. */
const wholeShare = (magnitude: number, { numerator, divisor, factor }: Share): number => {
  const rough = magnitude * factor;
  const whole = Math.floor(rough);
  // Only next to a whole number can the double be on its wrong side.
  const distance = rough - whole;
  if (rough < 2 ** 40 && distance > 1e-3 && distance < 1 - 1e-3) return whole;
  return Number.isNaN(magnitude) ? magnitude : Number((BigInt(magnitude) * numerator) / divisor);
};

/** magnitude × share rounded half away from zero to a whole number, exactly; the sign is the amount's. */
export const roundedShare = (amount: number, { numerator, divisor, factor }: Share): number => {
  const rough = Math.abs(amount) * factor;
  const distance = rough - Math.floor(rough);
  const sign = amount < 0 ? -1 : 1;
  if (rough < 2 ** 40 && Math.abs(distance - 0.5) > 1e-3) return sign * Math.round(rough);
  const doubled = BigInt(Math.abs(amount)) * numerator * 2n;
  return sign * Number((doubled + divisor) / (divisor * 2n));
};
