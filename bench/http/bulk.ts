/** A body too large to be held by anybody who should only pass it on: the same on every side, so that its hash is too. */
import { createHash, type Hash } from 'node:crypto';

const blockBytes = 64 * 1024;
const fill = Buffer.from(Array.from({ length: blockBytes }, (_, at) => (at * 131 + (at >> 8)) & 255));

/** Made while it is sent. Each block has its number, so that one that is lost, doubled or out of turn shows in the hash. */
export function* blocksOf(bytes: number): Generator<Buffer> {
  for (let sent = 0; sent < bytes; sent += blockBytes) {
    const block = Buffer.from(fill.subarray(0, Math.min(blockBytes, bytes - sent)));
    block.writeUInt32BE(sent / blockBytes);
    yield block;
  }
}

/** Passes parts on and looks at each. */
export async function* hashed(parts: Iterable<Buffer> | AsyncIterable<Buffer>, hash: Hash): AsyncGenerator<Buffer> {
  for await (const part of parts) {
    hash.update(part);
    yield part;
  }
}

export interface Received {
  readonly bytes: number;
  readonly sha256: string;
}

/** Counts and hashes all that comes, and keeps nothing; `after` may hold it up. */
export const receive = async (parts: AsyncIterable<Buffer>, after: (bytes: number) => Promise<void> | undefined): Promise<Received> => {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of hashed(parts, hash)) {
    bytes += part.length;
    await after(bytes);
  }
  return { bytes, sha256: hash.digest('hex') };
};
