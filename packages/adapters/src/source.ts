/** The bytes of a file adapter's input, from an uploaded file or from the configuration itself. */
import { type ReadContext, ReaderFailure } from './reader.ts';

export type Input = { readonly bytes: AsyncIterable<Uint8Array>; readonly totalBytes: number };

/** Small enough that what is made of one block fits anywhere, large enough that the block does not count. */
const blockBytes = 128 * 1024;

export const openInput = async (
  { fileId, content }: { fileId?: string | undefined; content?: string | undefined },
  { openFile, signal }: ReadContext,
): Promise<Input> => {
  signal.throwIfAborted();
  if (content !== undefined) {
    const bytes = Buffer.from(content, 'utf8');
    return { bytes: cancellable(once(bytes), signal), totalBytes: bytes.length };
  }
  if (fileId === undefined) throw new ReaderFailure('no_input', 'neither the job nor the run names an input: give a fileId or content');
  const file = await openFile(fileId, signal);
  if (file === undefined) throw new ReaderFailure('no_such_file', `there is no file ${fileId}`);
  return { bytes: cancellable(file.bytes, signal), totalBytes: file.size };
};

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

/**
 * Blocks of bounded size, until the signal: also while the source hangs, which is why its next chunk is raced and, once lost,
 * not awaited any more.
 */
async function* cancellable(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  const aborted = Promise.withResolvers<never>();
  // Nobody may be waiting when the signal comes; the race below or the check between blocks tells.
  aborted.promise.catch(() => undefined);
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  let isOver = false;
  try {
    while (true) {
      signal.throwIfAborted();
      const next = await Promise.race([iterator.next(), aborted.promise]);
      if (next.done === true) {
        isOver = true;
        return;
      }
      for (let from = 0; from < next.value.length; from += blockBytes) {
        signal.throwIfAborted();
        yield next.value.subarray(from, from + blockBytes);
      }
    }
  } finally {
    signal.removeEventListener('abort', abort);
    // A source that hangs in next() would hang in return() too, and what it answers no longer matters.
    if (!isOver) iterator.return?.()?.catch(() => undefined);
  }
}
