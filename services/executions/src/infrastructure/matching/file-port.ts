/** A file's bytes on their way into the matching thread, piece by piece, each asked for when the one before is done with. */
import type { MessagePort } from 'node:worker_threads';
import type { OpenedFile } from '@settler/adapters/reader';

type Told =
  | { readonly size: number }
  | { readonly missing: true }
  | { readonly bytes: Uint8Array }
  | { readonly end: true }
  | { readonly failed: string };

/** The service's end. */
export const sendFile = async (port: MessagePort, open: () => Promise<OpenedFile | undefined>): Promise<void> => {
  const tell = (told: Told): void => port.postMessage(told);
  const asked = waiting(port);
  try {
    const file = await open();
    if (file === undefined) return tell({ missing: true });
    tell({ size: file.size });
    for await (const bytes of file.bytes) {
      await asked.next();
      tell({ bytes });
    }
    await asked.next();
    tell({ end: true });
  } catch (error) {
    tell({ failed: error instanceof Error ? error.message : String(error) });
  }
};

/** The thread's end: the file as its reader wants it; undefined where there is none. */
export const receiveFile = async (port: MessagePort): Promise<OpenedFile | undefined> => {
  const told = waiting(port);
  const first = (await told.next()) as Told;
  if ('failed' in first) throw new Error(first.failed);
  return 'size' in first ? { size: first.size, bytes: piecesOf(port, told) } : undefined;
};

async function* piecesOf(port: MessagePort, told: ReturnType<typeof waiting>): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      port.postMessage('next');
      const piece = (await told.next()) as Told;
      if ('failed' in piece) throw new Error(piece.failed);
      if (!('bytes' in piece)) return;
      yield piece.bytes;
    }
  } finally {
    port.close();
  }
}

/** Messages one at a time, in order, whenever they come. */
const waiting = (port: MessagePort) => {
  let wake: () => void = () => {};
  let isClosed = false;
  port.on('message', (message: unknown) => {
    arrived.push(message);
    wake();
  });
  port.on('close', () => {
    isClosed = true;
    wake();
  });
  const arrived: unknown[] = [];
  return {
    next: async (): Promise<unknown> => {
      while (arrived.length === 0) {
        if (isClosed) throw new Error('the other end was closed');
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return arrived.shift();
    },
  };
};
