/** New public ids. Chance and time come in here and nowhere else, so that everything behind takes ids as arguments. */
import { type IdKind, idPrefixes } from '@settler/contracts/ids';
import { typeidUnboxed } from 'typeid-js';

export const newId = (kind: IdKind): string => typeidUnboxed(idPrefixes[kind]);

const digits = '0123456789abcdefghjkmnpqrstvwxyz';
const counted = 4;
const countMax = 32 ** counted;

/** For millions: the last 20 bits of a new id count up (RFC 9562, section 6.2, method 1), and then there is another. */
export const newIds = (kind: IdKind): (() => string) => {
  let head = '';
  let count = countMax;
  return () => {
    if (count === countMax) {
      head = newId(kind).slice(0, -counted);
      count = 0;
    }
    const id = `${head}${digits[count >>> 15]}${digits[(count >>> 10) & 31]}${digits[(count >>> 5) & 31]}${digits[count & 31]}`;
    count += 1;
    return id;
  };
};
