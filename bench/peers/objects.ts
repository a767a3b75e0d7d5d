/** Rows as scripts hold them: one object each. Reading them is not measured. */
import { readFileSync } from 'node:fs';

export interface Row {
  /** Of its file, from 0. */
  readonly row: number;
  readonly id: string;
  readonly reference: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  /** Days since 1970-01-01. */
  readonly day: number;
}

export const readObjects = (path: string): Row[] => {
  const bytes = readFileSync(path);
  const rows: Row[] = [];
  for (let start = bytes.indexOf(10) + 1; start > 0 && start < bytes.length; start = bytes.indexOf(10, start) + 1) {
    const end = bytes.indexOf(10, start);
    // The columns in front of the name, which alone may be quoted.
    const [id = '', reference = '', amount = '', currency = '', date = ''] = bytes.toString('latin1', start, end).split(',', 5);
    rows.push({
      row: rows.length,
      id: Buffer.from(id, 'latin1').toString('latin1'),
      // Flat texts of their own: pieces of a line would keep the line, and compare at half the speed.
      reference: Buffer.from(reference, 'latin1').toString('latin1'),
      amount: Math.round(Number(amount) * 100),
      currency: Buffer.from(currency, 'latin1').toString('latin1'),
      day: Date.parse(date) / 86_400_000,
    });
  }
  return rows;
};

export const plain = (reference: string): string => reference.toUpperCase().replaceAll(/[ -]/g, '').replace(/^ORD/, '');
export const cents = [-1, 0, 1];
export const daysApart = 3;
