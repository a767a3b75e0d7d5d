/** The files of examples/shop-month: where they are, and what has to be in them. */
import { join } from 'node:path';
import { root } from '../check/command.ts';
import { makeShopMonth } from './shop.ts';

export const exampleFolder = join(root, 'examples/shop-month');
export const ordersFile = join(exampleFolder, 'shopify-orders.csv');
export const balanceFile = join(exampleFolder, 'stripe-balance.csv');

export const exampleFiles = () => {
  const { orders, balance } = makeShopMonth();
  return [
    { path: ordersFile, content: orders },
    { path: balanceFile, content: balance },
  ];
};
