/** The matching thread: reads both inputs, runs the engine, hands results out in pieces as they are asked for. One run after another. */
import { MessageChannel, parentPort } from 'node:worker_threads';
import { type ReadContext, ReaderFailure } from '@settler/adapters/reader';
import { MatchingRefused } from '../../application/ports.ts';
import { forgetMemory } from '../../domain/matching/columns/scratch.ts';
import { ColumnTooLarge } from '../../domain/matching/columns/text-column.ts';
import { TooManyCandidates } from '../../domain/matching/passes/candidates.ts';
import { receiveFile } from './file-port.ts';
import type { Notice, Reply, Request } from './protocol.ts';
import { createRun } from './run.ts';

const port = parentPort;
if (port === null) throw new Error('this program runs as a thread');
const say = (reply: Reply): void => port.postMessage(reply);
const notify = (notice: Extract<Notice, { kind: 'progress' }>): void => port.postMessage(notice);

const context: ReadContext = {
  openFile: (fileId) => {
    const { port1, port2 } = new MessageChannel();
    const notice: Notice = { kind: 'file', fileId, port: port2 };
    port.postMessage(notice, [port2]);
    return receiveFile(port1);
  },
  // The thread itself is ended where the run is.
  signal: new AbortController().signal,
};

const begin = () => createRun({ notify, context });
let answer = begin();

/** What the caller can be told; anything else is a bug, and ends the thread. */
const expected = (error: unknown): Reply => {
  if (error instanceof ReaderFailure) return { kind: 'unreadable', code: error.code, message: error.message, line: error.line };
  if (error instanceof MatchingRefused) return { kind: 'refused', code: error.code, message: error.message, side: error.side };
  if (error instanceof TooManyCandidates || error instanceof ColumnTooLarge)
    return { kind: 'refused', code: error.code, message: error.message, side: undefined };
  throw error;
};

port.on('message', (request: Request) => {
  if (request.kind === 'forget') {
    answer = begin();
    forgetMemory();
    return;
  }
  answer(request)
    .catch(expected)
    .then(say, (error: unknown) => {
      // Thrown where nobody catches it, so that the service hears of it.
      setImmediate(() => {
        throw error;
      });
    });
});
