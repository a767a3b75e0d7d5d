/** Names of companies and people as they stand in ledgers, and the ways in which a bank writes them differently. */
import type { Random } from './random.ts';

const starts = 'Al Ber Cas Dor El Far Gar Hol Im Jan Kel Lan Mar Nor Or Pet Quin Ros Sten Tor Ul Var Wes Xan Yor Zim'.split(' ');
const middles = 'an ber den eld fer gan hart in ker lan man ner o per ri sen ter u ven win'.split(' ');
const ends = 'berg dale field ford hausen ini ington ley mann mark ova ovic ski son stein ton ura vik worth zola'.split(' ');
const forms = ['GmbH', 'Ltd', 'BV', 'SARL', 'Inc', 'AG', 'Oy', 'SpA'];
const trades = ['Trading', 'Foods', 'Textiles', 'Optics', 'Logistics', 'Books', 'Tools', 'Energy'];

const word = (random: Random): string => random.pick(starts) + (random.isOneOf(0.6) ? random.pick(middles) : '') + random.pick(ends);

/** About 17 characters on average. One in twenty has a comma, which a CSV file must quote. */
export const inventName = (random: Random): string => {
  if (random.isOneOf(0.05)) return `${word(random)}, ${word(random)}`;
  const kind = random.next();
  if (kind < 0.5) return `${word(random)} ${word(random)}`;
  if (kind < 0.8) return `${word(random)} ${random.pick(trades)}`;
  return `${word(random)} ${random.pick(trades)} ${random.pick(forms)}`;
};

/** A slip of the pen: a letter left out, doubled, exchanged with its neighbour or mistaken. */
export const misspelled = (name: string, random: Random): string => {
  const at = random.between(1, name.length - 2);
  switch (random.between(0, 3)) {
    case 0:
      return name.slice(0, at) + name.slice(at + 1);
    case 1:
      return name.slice(0, at) + name.slice(at - 1);
    case 2:
      return name.slice(0, at) + name.charAt(at + 1) + name.charAt(at) + name.slice(at + 2);
    default:
      return name.slice(0, at) + random.pick([...'aeinorst']) + name.slice(at + 1);
  }
};

/** Names and the pairs of them that a block of candidates holds, by their indexes. */
export interface Block {
  readonly names: readonly string[];
  readonly ones: Uint32Array;
  readonly others: Uint32Array;
}

const namesPerBlock = 20;

/**
 * Every name against every other of its block, which all begin with the same letter; a third are names of that block written
 * differently. Texts are flat, because those that were cut out of a longer one or put together make the same library run at half
 * its speed.
 */
export const inventBlocks = (pairCount: number, random: Random): Block => {
  const byLetter = new Map<string, string[]>();
  for (let index = 0; index < 20_000; index += 1) {
    const name = flat(inventName(random));
    const known = byLetter.get(name.charAt(0));
    if (known === undefined) byLetter.set(name.charAt(0), [name]);
    else known.push(name);
  }
  const letters = [...byLetter.keys()].sort();
  const names: string[] = [];
  const ones = new Uint32Array(pairCount);
  const others = new Uint32Array(pairCount);
  for (let pair = 0; pair < pairCount; ) {
    const candidates = byLetter.get(random.pick(letters)) ?? [];
    const first = names.length;
    for (let member = 0; member < namesPerBlock; member += 1) {
      const isCopy = member > 0 && random.isOneOf(1 / 3);
      names.push(isCopy ? flat(misspelled(names[random.between(first, first + member - 1)] as string, random)) : random.pick(candidates));
    }
    for (let one = first; one < names.length; one += 1) {
      for (let other = one + 1; other < names.length && pair < pairCount; other += 1) {
        ones[pair] = one;
        others[pair] = other;
        pair += 1;
      }
    }
  }
  return { names, ones, others };
};

const flat = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
