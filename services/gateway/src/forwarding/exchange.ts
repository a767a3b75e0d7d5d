/** One request to a service and its answer, passed on as it comes: what is long waits for the other side, and is never held. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { Dispatcher, Pool } from 'undici';
import { type Body, ClientGone, endAfterBody, tooSlow } from './body.ts';
import type { Blameless } from './breaker.ts';

/** The service took longer than the route may. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';
}

/** It waited for a connection until its time was up: whoever has the connections is blamed, if anybody is to be. */
export class NeverSent extends Error implements Blameless {
  override readonly name = 'NeverSent';
  readonly isBlameless = true;
}

const nothing = (): void => {};

export interface ExchangeOptions {
  readonly pool: Pool;
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: string[];
  readonly body: Body | null;
  /**
   * How long until the service has all of the request, as long again until the answer begins, and then until the client has all of it. So the
   * time that a client or a queue takes is never the service's to answer for.
   */
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
  /** Ends an answer that has begun: a stream of events as if it were complete, anything else so that its client sees that it is not. */
  readonly end: () => void;
}

/** Waiting for the head of the answer → passing the answer on → all of it is written → over. */
type Stage = 'waiting' | 'passing' | 'written' | 'over';

export const exchange = (options: ExchangeOptions): Exchange => {
  const { pool, method, path, headers, body, headTimeoutMs, timeoutMs, response, isEventStream, onHead } = options;
  const { promise: head, resolve, reject } = Promise.withResolvers<number>();
  let controller: Dispatcher.DispatchController | undefined;
  let stage: Stage = 'waiting';
  /** When the service had been given all of the request; NaN until then. */
  let sentAtMs = Number.NaN;
  let limitMs = Math.min(headTimeoutMs, timeoutMs);
  /** The length of the answer; NaN where it is not known. */
  let wholeBytes = Number.NaN;

  const leave = (): void => {
    stage = 'over';
    clearTimeout(timer);
    response.off('close', closed);
    body?.leave();
  };
  const fail = (reason: Error): void => {
    if (stage === 'over') return;
    const hasBegun = stage !== 'waiting';
    leave();
    controller?.abort(reason);
    // Half an answer must not look like a whole one.
    if (hasBegun) response.destroy();
    else reject(reason);
  };
  const end = (): void => {
    if (stage !== 'passing') return;
    const reason = new ClientGone('whoever asked may no longer');
    if (isEventStream) {
      leave();
      controller?.abort(reason);
      response.end();
    } else fail(reason);
  };
  /** The deadline stays: whoever does not fetch the end of an answer would hold it in memory for ever. */
  const written = (whole?: Buffer): void => {
    stage = 'written';
    endAfterBody(response, whole);
  };
  const closed = (): void => {
    if (stage === 'written') leave();
    else fail(new ClientGone('the client went away'));
  };
  const deadline = (): void => {
    if (controller === undefined) {
      fail(new NeverSent('no connection in time'));
      return;
    }
    const leftMs = sentAtMs + limitMs - performance.now();
    if (leftMs > 1) {
      timer = setTimeout(deadline, leftMs);
      return;
    }
    // A client of events knows how to go on from where they end.
    if (stage === 'passing' && isEventStream) end();
    else fail(body?.awaitsClient() ? tooSlow() : new DeadlinePassed('no answer, or not all of it, in time'));
  };

  let timer = setTimeout(deadline, limitMs);
  response.once('close', closed);
  if (response.req.socket.destroyed) {
    closed();
    return { head, end };
  }
  pool.dispatch(
    { method, path, headers, body: body?.content ?? null, headersTimeout: 0, bodyTimeout: 0 },
    {
      onRequestStart: (started) => {
        controller = started;
        if (body === null) sentAtMs = performance.now();
        if (stage === 'over') started.abort(new ClientGone('it was over before it began'));
      },
      onRequestSent:
        body === null
          ? nothing
          : () => {
              sentAtMs = performance.now();
            },
      onResponseStart: (_controller, status, answerHeaders) => {
        if (status < 200 || stage !== 'waiting') return;
        stage = 'passing';
        if (headTimeoutMs < timeoutMs) {
          clearTimeout(timer);
          limitMs = timeoutMs;
          timer = setTimeout(deadline, limitMs);
        }
        onHead(status, answerHeaders);
        wholeBytes = isEventStream ? Number.NaN : Number(answerHeaders['content-length']);
        if (isEventStream) response.flushHeaders();
        resolve(status);
      },
      onResponseData: (flow, chunk) => {
        if (stage !== 'passing') return;
        if (chunk.length === wholeBytes) return written(chunk);
        if (response.write(chunk)) return;
        flow.pause();
        response.once('drain', () => flow.resume());
      },
      onResponseEnd: () => {
        if (stage === 'passing') written();
      },
      onResponseError: (_controller, error) => {
        if (stage !== 'written') fail(error);
      },
    },
  );
  return { head, end };
};
