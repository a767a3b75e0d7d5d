/** Texts read four bytes at a time, which is where the time of hashing and comparing them goes. */

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView => new DataView(buffer, byteOffset, byteLength);

/**
 * The last one to three bytes of a text, and above them ones: no text in UTF-8 has such a byte, so that no other text reads the
 * same.
 */
export const restOf = (view: DataView, at: number, end: number): number => {
  const above = -1 << ((end - at) * 8);
  if (at + 4 <= view.byteLength) return view.getUint32(at, true) | above;
  let word = above;
  for (let byte = at; byte < end; byte += 1) word |= view.getUint8(byte) << ((byte - at) * 8);
  return word;
};
