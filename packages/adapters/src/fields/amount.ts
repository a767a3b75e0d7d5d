/** Amounts as people and exports write them, to the canonical decimal string of the wire; text that can be read two ways is refused. */
import { isCurrency } from '@settler/contracts/currencies';
import { exponentOf } from '@settler/contracts/money';
import { quoted, type Unreadable } from './unreadable.ts';

export type DecimalSeparator = '.' | ',';

// What contracts calls a decimal: 18 digits before the point, 6 after it. Most cells are already that and take no other path.
const canonical = /^(?:0|-?[1-9][0-9]{0,17})(?:\.[0-9]{1,6})?$/;

// Groups are of three digits with one separator throughout. Indian grouping (12,34,567.00) is known for the comma only. Nobody groups less
// than a thousand: what begins with a zero, as `0.123` does, is written with the other separator.
const spaces = " \\u00a0\\u202f'\\u2019";
const written: Readonly<Record<DecimalSeparator, RegExp>> = {
  '.': new RegExp(`^([0-9]*|[1-9][0-9]{0,2}([,${spaces}])[0-9]{3}(?:\\2[0-9]{3})*|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3})(?:\\.([0-9]+))?$`),
  ',': new RegExp(`^([0-9]*|[1-9][0-9]{0,2}([.${spaces}])[0-9]{3}(?:\\2[0-9]{3})*)(?:,([0-9]+))?$`),
};

/**
 * `1,234.56` with decimal "." and `1.234,56` with decimal "," are both `1234.56`. Negative is a sign before or after the
 * digits, or parentheses. Where the configuration names no separator it is a point, and `1,234` is refused:
 * it is a thousand to one writer and one and a bit to another. So is `1.234`, once its currency is known (`mayBeThousands`).
 */
export const readAmount = (cell: string, decimal?: DecimalSeparator): string | Unreadable => {
  const text = cell.trim();
  if (decimal !== ',' && canonical.test(text)) return text;

  const inParentheses = text.startsWith('(') && text.endsWith(')');
  const signed = inParentheses ? undefined : (/^[+\-\u2212]/.exec(text) ?? /-$/.exec(text))?.[0];
  const digits = inParentheses ? text.slice(1, -1) : signed === undefined ? text : text.replace(signed, '');
  const separator = decimal ?? '.';
  const [, whole = '', , fraction = ''] = written[separator].exec(digits) ?? [];
  if (whole === '' && fraction === '') {
    return { reason: `${quoted(cell)} is not a number written with decimal ${separator === '.' ? 'point' : 'comma'}` };
  }
  if (decimal === undefined && /^[0-9]{1,3},[0-9]{3}$/.test(digits)) {
    return twoWays(cell);
  }
  return compose(cell, inParentheses || signed === '-' || signed === '\u2212', whole.replace(/[^0-9]/g, ''), fraction);
};

const compose = (cell: string, negative: boolean, whole: string, fraction: string): string | Unreadable => {
  const wholeDigits = whole.replace(/^0+(?=[0-9])/, '') || '0';
  const fractionDigits = fraction.length > 6 ? fraction.slice(0, 6) + fraction.slice(6).replace(/0+$/, '') : fraction;
  if (wholeDigits.length > 18) return { reason: `${quoted(cell)} has more than 18 digits before the decimal separator` };
  if (fractionDigits.length > 6) return { reason: `${quoted(cell)} has more than 6 digits after the decimal separator` };
  const amount = fractionDigits === '' ? wholeDigits : `${wholeDigits}.${fractionDigits}`;
  return negative ? negated(amount) : amount;
};

/** There is no negative zero: two records that say 0.00 and -0.00 say the same. */
export const negated = (amount: string): string => {
  if (amount.startsWith('-')) return amount.slice(1);
  return /[1-9]/.test(amount) ? `-${amount}` : amount;
};

/**
 * An amount that is reckoned with is a whole number of its smallest digits in a double, exact up to 2^53 − 1. Zeros at the end of
 * the fraction say nothing and are given up for it; anything else beyond is refused, since rounding would invent money.
 */
export const exact = (amount: string): string | Unreadable => {
  // Sign and point included, these cannot be too many.
  if (amount.length <= 15 || Number.isSafeInteger(decimalOf(amount).digits)) return amount;
  const shortened = amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount;
  if (Number.isSafeInteger(decimalOf(shortened).digits)) return shortened;
  return { reason: `${amount} has too many digits to be exact: without the decimal separator at most ${Number.MAX_SAFE_INTEGER}` };
};

/** A canonical amount as digits × 10^−scale. */
export const decimalOf = (amount: string): { readonly digits: number; readonly scale: number } => {
  const point = amount.indexOf('.');
  if (point === -1) return { digits: Number(amount), scale: 0 };
  return { digits: Number(amount.slice(0, point) + amount.slice(point + 1)), scale: amount.length - point - 1 };
};

/** The amount with as many decimals as its currency has: `12.5` in EUR is `12.50`. Other digits than zeros beyond them cannot exist. */
export const inCurrency = (amount: string, currency: string): string | Unreadable => {
  const exponent = exponentOf(currency);
  const point = amount.indexOf('.');
  const decimals = point === -1 ? 0 : amount.length - point - 1;
  if (decimals === exponent) return amount;
  if (decimals < exponent) return (point === -1 ? `${amount}.` : amount) + '0'.repeat(exponent - decimals);
  if (/[1-9]/.test(amount.slice(point + 1 + exponent))) return { reason: `${amount} has more decimals than ${currency} has` };
  return exponent === 0 ? amount.slice(0, point) : amount.slice(0, point + 1 + exponent);
};

/**
 * `1.250` in euros is a thousand and more in Madrid and Jakarta, where such a file writes all its whole amounts so; read with a point it
 * would be that much too small without anything to see. What cannot be thousands is read as it stands: `0.125`, `1234.500`, `1.2500`, and
 * any amount of a currency that has three decimals.
 */
export const mayBeThousands = (digits: number, scale: number, exponent: number): boolean =>
  scale === 3 && exponent < 3 && Math.abs(digits) >= 1_000 && Math.abs(digits) < 1_000_000;

export const twoWays = (cell: string): Unreadable => ({
  reason: `${quoted(cell)} can be read two ways: say in the mapping whether "." or "," is the decimal separator`,
});

/** ISO 4217, any case, kept upper. */
export const readCurrency = (cell: string): string | Unreadable => {
  const code = cell.trim();
  if (isCurrency(code)) return code;
  if (/^[A-Za-z]{3}$/.test(code) && isCurrency(code.toUpperCase())) return code.toUpperCase();
  return { reason: `${quoted(cell)} is not an ISO 4217 currency code` };
};

/** Two columns for one amount: what went out is negative, what came in positive, and exactly one of them may be other than zero. */
export const readDebitCredit = (debitCell: string, creditCell: string, decimal?: DecimalSeparator): string | Unreadable => {
  const debit = debitCell.trim() === '' ? '0' : readAmount(debitCell, decimal);
  const credit = creditCell.trim() === '' ? '0' : readAmount(creditCell, decimal);
  if (typeof debit !== 'string') return debit;
  if (typeof credit !== 'string') return credit;
  // A minus in front of a debit is a reversal to one bank and decoration to another; guessing would turn money around.
  if (debit.startsWith('-') || credit.startsWith('-'))
    return { reason: `has a signed debit or credit (${quoted(debitCell || creditCell)})` };
  if (!/[1-9]/.test(debit)) return creditCell.trim() === '' ? debit : credit;
  if (/[1-9]/.test(credit)) return { reason: `has both a debit (${debit}) and a credit (${credit})` };
  return negated(debit);
};
