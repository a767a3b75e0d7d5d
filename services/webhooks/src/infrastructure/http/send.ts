/** One attempt: resolve, connect to exactly that address, send, read at most 16 KiB, all within one deadline. Redirects are failures. */
import { withDeadline } from '@settler/chassis/deadline';
import { Client } from 'undici';
import type { Send } from '../../application/ports.ts';
import type { Mask } from '../../domain/mask.ts';
import type { AddressGuard } from './address-guard.ts';

const answerBytesMax = 16 * 1024;
const reasonLengthMax = 500;
const headerBytesMax = 16 * 1024;
/** Answers before the answer, such as 103: without an end to them one receiver kept the process from all others for as long as it liked. */
const interimAnswersMax = 10;

export const createSend =
  (guard: AddressGuard, timeoutMs: number): Send =>
  (text, headers, body, mask, stopping) =>
    withDeadline(timeoutMs, async (ending) => {
      const startedAt = performance.now();
      const took = () => Math.round(performance.now() - startedAt);
      const { signal } = ending;
      let interimAnswers = 0;
      const onInfo = () => {
        interimAnswers += 1;
        if (interimAnswers > interimAnswersMax)
          ending.abort(new Error(`more than ${interimAnswersMax} interim answers, and none that counts`));
      };
      const onStopping = () => ending.abort(new Error('stopped before there was a complete answer'));
      stopping.addEventListener('abort', onStopping, { once: true });
      let client: Client | undefined;
      try {
        const url = new URL(text);
        const { address, family } = await beforeAbort(guard.resolve(url, signal), signal);
        client = new Client(url.origin, {
          // The look-up was done and checked above; this hands its answer to the socket and to nobody else.
          connect: {
            timeout: timeoutMs,
            lookup: (_host, options, done) => (options.all ? done(null, [{ address, family }]) : done(null, address, family)),
          },
          maxHeaderSize: headerBytesMax,
          pipelining: 0,
        });
        const answer = await client.request({ method: 'POST', path: `${url.pathname}${url.search}`, headers, body, signal, onInfo });
        const responseBody = await readSome(answer.body, mask, signal);
        const { 'retry-after': retryAfter } = answer.headers;
        return {
          statusCode: answer.statusCode,
          retryAfter: typeof retryAfter === 'string' ? retryAfter : null,
          responseBody,
          error: null,
          latencyMs: took(),
        };
      } catch (error) {
        const reason = mask(reasonOf(error, timeoutMs), false).slice(0, reasonLengthMax);
        return { statusCode: null, retryAfter: null, responseBody: null, error: reason, latencyMs: took() };
      } finally {
        stopping.removeEventListener('abort', onStopping);
        await client?.destroy();
      }
    });

const readSome = async (stream: AsyncIterable<Uint8Array>, mask: Mask, signal: AbortSignal): Promise<string> => {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    signal.throwIfAborted();
    parts.push(part);
    length += part.length;
    if (length >= answerBytesMax) break;
  }
  const masked = mask(textOf(Buffer.concat(parts).subarray(0, answerBytesMax)), length >= answerBytesMax);
  return textOf(Buffer.from(masked).subarray(0, answerBytesMax));
};

/** NUL cannot be stored as text. */
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll('\0', '\u{fffd}');

const beforeAbort = <Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
  ]);

const reasonOf = (error: unknown, timeoutMs: number): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return `no complete answer within ${timeoutMs} ms`;
  return error.cause instanceof Error ? error.cause.message : error.message;
};
