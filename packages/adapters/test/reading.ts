/** Reading in tests: everything at once, from a file of given chunks. */
import { type ReadChunk, type ReadContext, ReaderFailure, type ReadRow } from '../src/reader.ts';
import { openReader } from '../src/readers.ts';

export const someFileId = 'fil_01h455vb4pex5vsknk084sn02q';

/** Whose memory is another's once the next is asked for, as that of a source may be. */
async function* from(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    const block = Buffer.from(chunk);
    yield block;
    block.fill(0xff);
  }
}

export const fileOf = (...chunks: readonly (string | Uint8Array)[]): ReadContext['openFile'] => {
  const bytes = chunks.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk));
  return async () => ({ bytes: from(bytes), size: bytes.reduce((sum, chunk) => sum + chunk.length, 0) });
};

export const noFile: ReadContext['openFile'] = async () => undefined;

export const contextOf = (context: Partial<ReadContext> = {}): ReadContext => ({
  openFile: noFile,
  signal: new AbortController().signal,
  ...context,
});

export const readChunks = async (name: string, config: unknown, context: Partial<ReadContext> = {}): Promise<ReadChunk[]> => {
  const { read } = await openReader(name, config);
  return collected(read(contextOf(context)));
};

export const collected = async <Item>(items: AsyncIterable<Item>): Promise<Item[]> => {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
};

export const readRows = async (name: string, config: unknown, context: Partial<ReadContext> = {}): Promise<ReadRow[]> =>
  (await readChunks(name, config, context)).flatMap(({ rows }) => rows);

/** The failure that a read ends with; a read that does not fail, or fails otherwise, fails the test. */
export const failureOf = async (read: Promise<unknown>): Promise<{ code: string; line: number | undefined; message: string }> => {
  try {
    await read;
  } catch (error) {
    if (error instanceof ReaderFailure) return { code: error.code, line: error.line, message: error.message };
    throw error;
  }
  throw new Error('the read did not fail');
};
