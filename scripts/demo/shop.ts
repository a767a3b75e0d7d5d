/**
 * A month of a shop that never was: its orders as Shopify exports them, and what the card provider settled as Stripe reports it.
 * Everything comes from one seed, so that the files under examples/ can be made again to the byte.
 */

export interface ShopMonth {
  /** In the columns of a Shopify orders export. */
  readonly orders: string;
  /** In the columns of a Stripe balance report. */
  readonly balance: string;
}

interface Order {
  readonly number: number;
  readonly id: string;
  readonly currency: 'EUR' | 'USD';
  readonly totalCents: number;
  readonly refundedCents: number;
  readonly placedAtMs: number;
  readonly paidAtMs: number;
}

const seed = 20_260_401;
const orderCount = 2_000;
const firstOrder = 1_001;
const monthStartMs = Date.UTC(2026, 3, 1);
const monthMs = 30 * 24 * 3_600_000;
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

/** mulberry32: small, and good enough for shops. */
const createChance = (start: number) => {
  let state = start;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  return { next, below: (limit: number) => Math.floor(next() * limit), happens: (probability: number) => next() < probability };
};
type Chance = ReturnType<typeof createChance>;

const roasts = [
  ['Harbour Espresso 250 g', 1190],
  ['Harbour Espresso 1 kg', 3890],
  ['Lighthouse Filter 250 g', 1290],
  ['Lighthouse Filter 1 kg', 4190],
  ['Night Watch Decaf 250 g', 1350],
  ['Pour-over set', 5400],
  ['Hand grinder', 8900],
  ['Gift card', 2500],
] as const;

const amount = (cents: number): string =>
  `${cents < 0 ? '-' : ''}${Math.floor(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);
const twoDigits = (value: number) => String(value).padStart(2, '0');
const clock = (ms: number): string => {
  const at = new Date(ms);
  const day = `${at.getUTCFullYear()}-${twoDigits(at.getUTCMonth() + 1)}-${twoDigits(at.getUTCDate())}`;
  return `${day} ${twoDigits(at.getUTCHours())}:${twoDigits(at.getUTCMinutes())}:${twoDigits(at.getUTCSeconds())}`;
};
const line = (cells: readonly string[]): string =>
  cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(',');
const token = (chance: Chance, prefix: string): string => {
  const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  return prefix + Array.from({ length: 24 }, () => letters[chance.below(letters.length)]).join('');
};

const orderColumns = [
  'Name',
  'Email',
  'Financial Status',
  'Paid at',
  'Fulfillment Status',
  'Fulfilled at',
  'Accepts Marketing',
  'Currency',
  'Subtotal',
  'Shipping',
  'Taxes',
  'Total',
  'Discount Code',
  'Discount Amount',
  'Shipping Method',
  'Created at',
  'Lineitem quantity',
  'Lineitem name',
  'Lineitem price',
  'Billing Country',
  'Payment Method',
  'Payment Reference',
  'Refunded Amount',
  'Vendor',
  'Id',
  'Tags',
  'Source',
]; // prettier-ignore
const balanceColumns = [
  'balance_transaction_id',
  'created_utc',
  'available_on_utc',
  'currency',
  'gross',
  'fee',
  'net',
  'reporting_category',
  'source_id',
  'description',
  'automatic_payout_id',
]; // prettier-ignore

export const makeShopMonth = (): ShopMonth => {
  const chance = createChance(seed);
  const orderLines = [line(orderColumns)];
  const balanceLines: string[] = [];
  for (let index = 0; index < orderCount; index += 1) {
    const { order, cells } = placeOrder(chance, index);
    // An order that reached the export although it was never charged, and below a charge whose order is not in the export.
    const isUncharged = chance.happens(0.006);
    const isUnexported = !isUncharged && chance.happens(0.005);
    if (!isUnexported) orderLines.push(line(cells));
    if (!isUncharged) balanceLines.push(...settle(chance, order));
  }
  balanceLines.sort((one, other) => compare(one.split(',')[1] ?? '', other.split(',')[1] ?? ''));
  return { orders: `${orderLines.join('\n')}\n`, balance: `${[line(balanceColumns), ...balanceLines].join('\n')}\n` };
};

const placeOrder = (chance: Chance, index: number): { order: Order; cells: string[] } => {
  const [name, price] = roasts[chance.below(roasts.length)] as (typeof roasts)[number];
  const quantity = 1 + chance.below(3);
  const shipping = chance.happens(0.3) ? 0 : 490;
  const subtotal = price * quantity;
  const discount = chance.happens(0.08) ? Math.round(subtotal * 0.1) : 0;
  const total = subtotal - discount + shipping;
  const refundKind = chance.next();
  const refunded = refundKind < 0.02 ? total : refundKind < 0.04 ? Math.max(100, Math.round(total * 0.3)) : 0;
  const placedAtMs = monthStartMs + Math.floor((index / orderCount) * monthMs) + chance.below(20 * minuteMs);
  // Most cards are charged at once; some only when the parcel leaves, up to six days later.
  const paidAtMs = placedAtMs + (chance.happens(0.07) ? (1 + chance.below(6)) * dayMs : chance.below(3 * minuteMs));
  const order: Order = {
    number: firstOrder + index,
    id: String(5_800_000_000_000 + index * 32_768),
    currency: chance.happens(0.22) ? 'USD' : 'EUR',
    totalCents: total,
    refundedCents: refunded,
    placedAtMs,
    paidAtMs,
  };
  const status = refunded === 0 ? 'paid' : refunded === total ? 'refunded' : 'partially_refunded';
  const cells = [
    `#${order.number}`,
    `customer${order.number}@example.com`,
    status,
    `${clock(placedAtMs)} +0000`,
    'fulfilled',
    `${clock(paidAtMs + dayMs)} +0000`,
    chance.happens(0.4) ? 'yes' : 'no',
    order.currency,
    amount(subtotal - discount),
    amount(shipping),
    amount(Math.round(total * 0.07)),
    amount(total),
    discount === 0 ? '' : 'SPRING10',
    amount(discount),
    shipping === 0 ? 'Collection' : 'Standard',
    `${clock(placedAtMs)} +0000`,
    String(quantity),
    name,
    amount(price),
    order.currency === 'EUR' ? 'DE' : 'US',
    'Stripe',
    token(chance, 'pi_'),
    amount(refunded),
    'Harbour Coffee',
    order.id,
    '',
    'web',
  ]; // prettier-ignore
  return { order, cells };
};

/** What the provider booked for an order: its charge, sometimes twice, sometimes off, and its refund. */
const settle = (chance: Chance, order: Order): string[] => {
  // Five charges in a thousand are not what the shop asked for: a tip, a currency rounding, a lost discount.
  const off = chance.happens(0.005) ? (chance.happens(0.5) ? 100 : -50) : 0;
  const isTwice = chance.happens(0.004);
  const charge = booking(chance, order, order.totalCents + off, order.paidAtMs, 'charge', 'ch_');
  const again = isTwice ? [booking(chance, order, order.totalCents + off, order.paidAtMs + 2 * minuteMs, 'charge', 'ch_')] : [];
  const refund =
    order.refundedCents > 0
      ? [booking(chance, order, -order.refundedCents, order.paidAtMs + (2 + chance.below(8)) * dayMs, 'refund', 're_')]
      : [];
  return [charge, ...again, ...refund];
};

const booking = (
  chance: Chance,
  { number, currency }: Order,
  cents: number,
  atMs: number,
  category: 'charge' | 'refund',
  prefix: string,
): string => {
  // 1.5 % + 0.25 for European cards, 2.9 % + 0.30 elsewhere; a refund costs nothing and gives no fee back.
  const fee = category === 'refund' ? 0 : currency === 'EUR' ? Math.round(cents * 0.015) + 25 : Math.round(cents * 0.029) + 30;
  const availableMs = Math.floor((atMs + 3 * dayMs) / dayMs) * dayMs;
  const payout = `po_${Math.floor(availableMs / dayMs)}${currency}`;
  const description = category === 'charge' ? `Order #${number}` : `Refund for order #${number}`;
  return line([
    token(chance, 'txn_'),
    clock(atMs),
    clock(availableMs),
    currency.toLowerCase(),
    amount(cents),
    amount(fee),
    amount(cents - fee),
    category,
    token(chance, prefix),
    description,
    payout,
  ]);
};
