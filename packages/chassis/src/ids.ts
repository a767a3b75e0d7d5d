/** New public ids. Chance and time come in here and nowhere else, so that everything behind takes ids as arguments. */
import { type IdKind, idPrefixes } from '@settler/contracts/ids';
import { typeidUnboxed } from 'typeid-js';

export const newId = (kind: IdKind): string => typeidUnboxed(idPrefixes[kind]);
