/** Orders of a shop over one year, in columns. Nothing about a row says where its payment stands: the files are in no order. */
import type { Random } from './random.ts';

export interface Orders {
  readonly count: number;
  /** Minor units. */
  readonly amounts: Int32Array;
  /** Indexes into `currencies`. */
  readonly currencies: Uint8Array;
  /** Days since 1970-01-01. */
  readonly days: Int32Array;
  readonly counterparties: Uint16Array;
  /** The number of the settlement that paid it and that it names; 0 for none. */
  readonly settlements: Uint32Array;
}

export const currencies = ['EUR', 'USD', 'GBP', 'CHF'] as const;
const currencyShares = [0.6, 0.85, 0.95];
export const firstDay = 20_089; // 2025-01-01
export const daysInYear = 365;
export const counterpartyCount = 20_000;
const amountLeast = 500;
const amountMost = 1_000_000;

export const inventOrders = (count: number, random: Random): Orders => {
  const orders: Orders = {
    count,
    amounts: new Int32Array(count),
    currencies: new Uint8Array(count),
    days: new Int32Array(count),
    counterparties: new Uint16Array(count),
    settlements: new Uint32Array(count),
  };
  for (let order = 0; order < count; order += 1) {
    orders.amounts[order] = inventAmount(random);
    orders.currencies[order] = inventCurrency(random);
    orders.days[order] = inventDay(random);
    orders.counterparties[order] = random.between(0, counterpartyCount - 1);
  }
  return orders;
};

/** Log-uniform: as many amounts from 5 to 50 as from 500 to 5,000, which is how baskets are spread. */
export const inventAmount = (random: Random): number => Math.round(amountLeast * (amountMost / amountLeast) ** random.next());
export const inventDay = (random: Random): number => firstDay + random.between(0, daysInYear - 1);
export const inventCurrency = (random: Random): number => {
  const share = random.next();
  const found = currencyShares.findIndex((limit) => share < limit);
  return found === -1 ? currencyShares.length : found;
};

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Eight characters without the letters of the prefix; every number has one of its own, and neighbours look nothing alike. */
export const codeOf = (number: number): string => {
  // An odd factor permutes the numbers of 40 bits.
  let rest = (BigInt(number) * 0x9e3779b97fn) & 0xffffffffffn;
  let code = '';
  for (let place = 0; place < 8; place += 1) {
    code += alphabet.charAt(Number(rest & 31n));
    rest >>= 5n;
  }
  return code;
};

export const referenceOf = (number: number): string => `ORD-${codeOf(number)}`;
/** A bank's number for a payment says nothing of when it came. */
export const paymentId = (row: number): string => `P${codeOf(row)}`;
export const settlementOf = (number: number): string => `PO-${String(number).padStart(7, '0')}`;
