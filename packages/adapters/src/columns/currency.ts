/** Currency codes as numbers: three upper-case letters, one byte each, the first in the highest. */
export { noCurrency } from '../columns.ts';

/** Of a code. */
export const currencyCode = (text: string): number => (text.charCodeAt(0) << 16) | (text.charCodeAt(1) << 8) | text.charCodeAt(2);

export const currencyText = (code: number): string => String.fromCharCode(code >> 16, (code >> 8) & 255, code & 255);
