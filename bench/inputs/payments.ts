/**
 * What reached the bank for these orders: 2 % of the orders were never paid, 2 % of the payments belong to none; 1 % came twice, 1 %
 * lack a fee, all come up to three days late, one reference in ten is written in another way, and 3 % of the orders were settled in
 * sums of 2 to 20, half of them under a number that the orders name.
 */
import { inventAmount, inventCurrency, inventDay, type Orders } from './orders.ts';
import type { Random } from './random.ts';

export const paidFor = { one: 0, unknown: 1, keyedSettlement: 2, plainSettlement: 3 } as const;

export interface Payments {
  readonly count: number;
  readonly amounts: Int32Array;
  readonly currencies: Uint8Array;
  readonly days: Int32Array;
  /** One of `paidFor`. */
  readonly kinds: Uint8Array;
  /** Of `one` the order; of `unknown` and settlements a number of their own; of a second delivery the same as of the first. */
  readonly numbers: Uint32Array;
  /** Ways to write the reference; 0 is the usual one. */
  readonly spellings: Uint8Array;
}

const share = { unpaid: 0.02, unknown: 0.02, twice: 0.01, fee: 0.01, spelled: 0.1, settled: 0.03 };
export const spellingCount = 6;

interface Draft {
  readonly amount: number;
  readonly currency: number;
  readonly day: number;
  readonly kind: number;
  readonly number: number;
  readonly spelling: number;
}

export const inventPayments = (orders: Orders, random: Random): Payments => {
  const drafts: Draft[] = [];
  const add = (draft: Omit<Draft, 'spelling'>): void => {
    const spelled = { ...draft, spelling: random.isOneOf(share.spelled) ? random.between(1, spellingCount - 1) : 0 };
    drafts.push(spelled);
    if (random.isOneOf(share.twice)) drafts.push(spelled);
  };
  const isSettled = settle(orders, random, add);
  for (let order = 0; order < orders.count; order += 1) {
    if (isSettled[order] === 1 || random.isOneOf(share.unpaid)) continue;
    const amount = orders.amounts[order] as number;
    add({
      amount: random.isOneOf(share.fee) ? amount - feeOf(amount) : amount,
      currency: orders.currencies[order] as number,
      day: (orders.days[order] as number) + random.between(0, 3),
      kind: paidFor.one,
      number: order,
    });
  }
  const unknownCount = Math.round(drafts.length * share.unknown);
  for (let index = 0; index < unknownCount; index += 1) {
    const draft = { amount: inventAmount(random), currency: inventCurrency(random), day: inventDay(random) };
    add({ ...draft, kind: paidFor.unknown, number: orders.count + index });
  }
  return inColumns(drafts, random);
};

/** 2.9 % and thirty cents. */
const feeOf = (amount: number): number => Math.round(amount * 0.029) + 30;

/** Settlements cover orders of one currency that came in one after another, as providers settle them. */
const settle = (orders: Orders, random: Random, add: (draft: Omit<Draft, 'spelling'>) => void): Uint8Array => {
  const isSettled = new Uint8Array(orders.count);
  const byTime = inOrderOfTime(orders);
  let settlement = 0;
  let left = Math.round(orders.count * share.settled);
  while (left >= 2) {
    const size = Math.min(left, random.between(2, 20));
    const members = run(orders, byTime, random.between(0, orders.count - 1), size, isSettled);
    if (members.length < 2) continue;
    settlement += 1;
    const isKeyed = settlement % 2 === 0;
    let amount = 0;
    let day = 0;
    for (const order of members) {
      isSettled[order] = 1;
      if (isKeyed) orders.settlements[order] = settlement;
      amount += orders.amounts[order] as number;
      day = Math.max(day, orders.days[order] as number);
    }
    add({
      amount,
      currency: orders.currencies[members[0] as number] as number,
      day: day + random.between(0, 3),
      kind: isKeyed ? paidFor.keyedSettlement : paidFor.plainSettlement,
      number: settlement,
    });
    left -= members.length;
  }
  return isSettled;
};

const inOrderOfTime = ({ count, currencies, days }: Orders): Uint32Array => {
  const keys = Float64Array.from({ length: count }, (_, order) => {
    const lane = (currencies[order] as number) * 2 ** 16 + (days[order] as number);
    return lane * 2 ** 24 + order;
  });
  return Uint32Array.from(keys.sort(), (key) => key % 2 ** 24);
};

/** The orders from this place on, as far as they are of its currency and nobody settled them. */
const run = (orders: Orders, byTime: Uint32Array, from: number, size: number, isSettled: Uint8Array): number[] => {
  const members: number[] = [];
  const currency = orders.currencies[byTime[from] as number];
  for (let place = from; place < orders.count && members.length < size; place += 1) {
    const order = byTime[place] as number;
    if (orders.currencies[order] !== currency || isSettled[order] === 1) break;
    members.push(order);
  }
  return members;
};

const inColumns = (drafts: readonly Draft[], random: Random): Payments => {
  const places = random.shuffle(Uint32Array.from({ length: drafts.length }, (_, index) => index));
  const column = (of: (draft: Draft) => number) => Array.from(places, (place) => of(drafts[place] as Draft));
  return {
    count: drafts.length,
    amounts: Int32Array.from(column(({ amount }) => amount)),
    currencies: Uint8Array.from(column(({ currency }) => currency)),
    days: Int32Array.from(column(({ day }) => day)),
    kinds: Uint8Array.from(column(({ kind }) => kind)),
    numbers: Uint32Array.from(column(({ number }) => number)),
    spellings: Uint8Array.from(column(({ spelling }) => spelling)),
  };
};
