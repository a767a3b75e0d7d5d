import { rules } from '@settler/contracts/rules';
import { describe, expect, test } from 'vitest';
import { countedUp } from '../../../src/domain/matching/columns/order.ts';
import { compileCondition } from '../../../src/domain/matching/conditions/compile.ts';
import { createPairBuffer } from '../../../src/domain/matching/join/pairs.ts';
import { candidatesOf } from '../../../src/domain/matching/passes/candidates.ts';
import { sorted } from './pairs.ts';
import { batchOf, euro, pass, type Records } from './records.ts';

test('pairs come in pieces, those of neighbouring sources together where there are many, and none is lost', () => {
  const told = (sourceRows: number, count: number) => {
    const pieces: number[][][] = [];
    const { push, finish } = createPairBuffer((sources, targets, size) => {
      pieces.push(Array.from({ length: size }, (_, index) => [sources[index] as number, targets[index] as number]));
    }, sourceRows);
    const given = Array.from({ length: count }, (_, index) => [(index * 7_919) % sourceRows, index]);
    for (const [source = 0, target = 0] of given) push(source, target);
    finish();
    expect(pieces.flat().toSorted(([, one = 0], [, other = 0]) => one - other)).toEqual(given);
    return pieces;
  };
  const sizes = (pieces: readonly unknown[][]) => pieces.map(({ length }) => length);
  expect(sizes(told(10, 3))).toEqual([3]);
  expect(
    told(10, 3)
      .flat()
      .map(([source]) => source),
  ).toEqual([0, 9, 8]);
  expect(sizes(told(10, 40_000))).toEqual([16_384, 16_384, 7_232]);
  expect(told(10, 0)).toEqual([]);
  const many = told(40_000, 60_000);
  expect(sizes(many)).toEqual([16_384, 16_384, 7_232, 16_384, 3_616]);
  for (const held of [many.slice(0, 3), many.slice(3)]) {
    const blocks = held.flat().map(([source = 0]) => source >>> 6);
    expect(blocks).toEqual(blocks.toSorted((one, other) => one - other));
  }
});

describe('the candidates of a pass', () => {
  const candidates = (match: readonly object[], source: Records, target: Records) => {
    const batches = [batchOf(source), batchOf(target)] as const;
    const judges = (rules.parse(pass(match)).passes[0]?.match ?? []).map((condition) => compileCondition(condition, ...batches));
    const rows = { source: countedUp(source.length), target: countedUp(target.length) };
    const { visit, certain, ...rest } = candidatesOf('one', judges, ...batches, rows);
    return {
      ...rest,
      certain: judges.map((judge) => certain.has(judge)),
      look: () => visit(() => {}),
      pairs: () => {
        const found: number[][] = [];
        visit((ours, theirs, count) => {
          for (let index = 0; index < count; index += 1) found.push([ours[index] as number, theirs[index] as number]);
        });
        return sorted(found);
      },
    };
  };
  const reference = { field: 'reference', type: 'exact' };
  const note = { field: 'note', type: 'exact' };
  const near = { field: 'amount', type: 'amount', tolerance: { absolute: '1.00' } };
  const soon = { field: 'date', type: 'date', within: { after: 1 } };
  const either = (...conditions: readonly object[]) => ({ type: 'oneOf', conditions });
  const on = (id: string, day: number, more = {}) => euro(id, '5.00', { date: `2026-04-${day + 10}`, ...more });

  test('of a key are the records that share it, of which many are narrowed by amounts and dates', () => {
    const few = [on('a', 1, { reference: 'k' }), on('b', 9, { reference: 'l' })];
    const found = candidates([reference, near, soon], few, [on('x', 5, { reference: 'k' }), on('y', 9, { reference: 'm' })]);
    expect(found.pairs()).toEqual(['0-0']);
    expect(found).toMatchObject({ certain: [true, false, false], mayRepeat: false, heldMax: 100 });
    const many = Array.from({ length: 9 }, (_, index) => on(`m${index}`, index * 2, { reference: 'k' }));
    const own = Array.from({ length: 9 }, (_, index) => `${index}-${index}`);
    expect(candidates([reference, soon], many, many).pairs()).toEqual(own);
    const spread = many.map((record, index) => ({ ...record, amount: `${index * 2}.00` }));
    expect(candidates([reference, near], spread, spread).pairs()).toEqual(own);
    expect(candidates([reference, note], many, many).pairs()).toEqual([]);
    expect(candidates([reference], many, many).pairs()).toHaveLength(81);
    expect(candidates([reference, { ...soon, verify: true }], many, many).pairs()).toHaveLength(81);
  });

  test('without a key lie within the amounts and the dates of each other', () => {
    const source = [on('a', 1), on('b', 5, { amount: '50.00' })];
    const target = [on('x', 2), on('y', 5), on('z', 6, { amount: '50.50' })];
    expect(candidates([near], source, target).pairs()).toEqual(['0-0', '0-1', '1-2']);
    expect(candidates([soon], source, target).pairs()).toEqual(['0-0', '1-1', '1-2']);
    expect(candidates([near, soon], source, target).pairs()).toEqual(['0-0', '1-2']);
    expect(candidates([near, { ...soon, verify: true }], source, target).pairs()).toEqual(['0-0', '0-1', '1-2']);
  });

  test('of alternatives are those of each, some of them twice, unless something else finds them', () => {
    const source = [on('a', 1, { reference: 'k', note: 'n' }), on('b', 2, { amount: '50.00' })];
    const target = [on('x', 9, { reference: 'k', note: 'n' }), on('y', 9, { reference: 'q', amount: '50.10' })];
    const byTexts = candidates([either(reference, note)], source, target);
    expect(byTexts.pairs()).toEqual(['0-0', '0-0']);
    expect(byTexts).toMatchObject({ mayRepeat: true, certain: [false] });
    expect(candidates([either(reference, near)], source, target).pairs()).toEqual(['0-0', '0-0', '1-1']);
    expect(candidates([either(near, soon)], source, target).pairs()).toEqual(['0-0', '1-1']);
    expect(candidates([either(note, near), reference], source, target).pairs()).toEqual(['0-0']);
    expect(candidates([either(note, reference), near], source, target)).toMatchObject({ mayRepeat: false });
    expect(candidates([either(note, reference), soon], source, target).pairs()).toEqual([]);
  });

  test('are refused where far more are looked at than may be held, whatever becomes of them', () => {
    const same = Array.from({ length: 2_500 }, (_, index) => ({ id: `r${index}`, note: 'n', date: '2026-04-01' }));
    expect(() => candidates([note], same, same).look()).toThrow('largest block (n) has 2500 source and 2500 target');
    expect(() => candidates([soon], same, same).look()).toThrow('largest block (all records) has 2500 source and 2500 target');
    expect(() => candidates([soon], same.slice(0, 2_000), same.slice(0, 1_000)).look()).not.toThrow();
    expect(() => candidates([note], same.slice(0, 3), same).refuse()).toThrow('more than 50 candidates per record on average');
  });

  test('where alternatives explode, the largest block is told whichever of them had it', () => {
    const same = Array.from({ length: 2_500 }, (_, index) => ({ id: `r${index}`, note: 'n', date: '2026-04-01' }));
    const blockOf = (...conditions: readonly object[]) => {
      const { look, refuse } = candidates([either(...conditions)], same, same);
      return () => {
        look();
        refuse();
      };
    };
    const own = { field: 'id', type: 'exact' };
    expect(blockOf(own, soon)).toThrow('largest block (all records) has 2500 source and 2500 target');
    expect(blockOf(note, own)).toThrow('largest block (n) has 2500 source and 2500 target');
    expect(blockOf(own, note)).toThrow('largest block (n) has 2500 source and 2500 target');
    expect(blockOf(own, reference)).toThrow('largest block (all records) has 2500 source and 2500 target');
  });
});
