/** One request to a service and its answer, passed on as it comes. Neither body is ever held: each waits for the other side. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher, Pool } from 'undici';
import type { Blameless } from './breaker.ts';

/** The client ended it. Nobody is there to be answered. */
export class ClientGone extends Error implements Blameless {
  override readonly name = 'ClientGone';
  readonly isBlameless = true;
}

/** The service took longer than the route may. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

export interface ExchangeOptions {
  readonly pool: Pool;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: string[];
  readonly body: Readable | null;
  /** How long until the answer begins, and until it ends. */
  readonly headTimeoutMs: number;
  readonly timeoutMs: number;
  readonly response: ServerResponse;
  /** Whether the answer is sent event by event, or may be collected into packets. */
  readonly isEventStream: boolean;
  /** Writes the head of the answer; called once at most. */
  readonly onHead: (status: number, headers: IncomingHttpHeaders) => void;
}

export interface Exchange {
  /** The status, once the answer has begun. @throws what prevented an answer; after this resolved, nothing. */
  readonly head: Promise<number>;
  /** Ends an answer that has begun, as if it were complete. */
  readonly finish: () => void;
}

export const exchange = (options: ExchangeOptions): Exchange => {
  const { pool, method, path, headers, body, headTimeoutMs, timeoutMs, response, isEventStream, onHead } = options;
  const { promise: head, resolve, reject } = Promise.withResolvers<number>();
  let controller: Dispatcher.DispatchController | undefined;
  let ended: Error | undefined;
  let hasBegun = false;

  const end = (reason: Error): void => {
    if (ended !== undefined) return;
    ended = reason;
    clearTimeout(timer);
    response.off('close', clientGone);
    body?.destroy();
    controller?.abort(reason);
    reject(reason);
  };
  const clientGone = (): void => {
    if (!response.writableFinished) end(new ClientGone('the client went away'));
  };
  const finish = (): void => {
    end(new ClientGone('the stream was ended'));
    response.end();
  };
  /** Half an answer must not look like a whole one, except where a client knows how to go on from there. */
  const deadline = (): void => {
    if (hasBegun && isEventStream) {
      finish();
      return;
    }
    end(new DeadlinePassed(`no ${hasBegun ? 'complete ' : ''}answer in time`));
    if (hasBegun) response.destroy();
  };
  let timer = setTimeout(deadline, Math.min(headTimeoutMs, timeoutMs));
  const startedAtMs = performance.now();
  response.once('close', clientGone);

  pool.dispatch(
    { method, path, headers, body, headersTimeout: 0, bodyTimeout: 0 },
    {
      onRequestStart: (started) => {
        controller = started;
        if (ended !== undefined) started.abort(ended);
      },
      onResponseStart: (_controller, status, answerHeaders) => {
        if (status < 200 || ended !== undefined) return;
        hasBegun = true;
        clearTimeout(timer);
        timer = setTimeout(deadline, timeoutMs - (performance.now() - startedAtMs));
        onHead(status, answerHeaders);
        if (isEventStream) response.flushHeaders();
        resolve(status);
      },
      onResponseData: (flow, chunk) => {
        if (response.write(chunk)) return;
        flow.pause();
        response.once('drain', () => flow.resume());
      },
      onResponseEnd: () => {
        clearTimeout(timer);
        response.off('close', clientGone);
        ended = new Error('ended');
        response.end();
      },
      onResponseError: (_controller, error) => {
        if (ended !== undefined) return;
        end(error);
        if (hasBegun) response.destroy();
      },
    },
  );
  return { head, finish };
};
