/** The rules under examples/ are rules that a job would take, and they do what they say. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { run } from './records.ts';

const bankTransfers: unknown = JSON.parse(
  readFileSync(new URL('../../../../../examples/bank-transfers/rules.json', import.meta.url), 'utf8'),
);
const transfer = (id: string, date: string, amount: string, memo: string) => ({ id, date, amount, currency: 'GBP', memo });

test('bank transfers are told apart by payer, amount and delay', () => {
  const sent = [
    transfer('s1', '2026-03-01', '100.00', 'J PIERRE B dona'),
    transfer('s2', '2026-03-01', '100.00', 'J PIERRE B 3e32'),
    transfer('s3', '2026-03-04', '640.00', 'R W H CHQ'),
    transfer('s4', '2026-03-04', '640.00', 'M LEE BGC'),
  ];
  const received = [
    transfer('r1', '2026-03-03', '100.00', 'J PIERRE B 3e32b622 BGC'),
    transfer('r2', '2026-03-02', '103.10', 'J PIERRE B donation CSH'),
    transfer('r3', '2026-03-20', '634.65', 'R W H '),
    transfer('r4', '2026-03-05', '640.00', 'K OLSEN BGC'),
  ];
  expect(run(sent, received, bankTransfers).said).toEqual([
    ['missing_in_target', ['s4'], []],
    ['missing_in_source', [], ['r4']],
    ['matched', ['s1'], ['r2']],
    ['matched', ['s2'], ['r1']],
    ['matched', ['s3'], ['r3']],
  ]);
});
