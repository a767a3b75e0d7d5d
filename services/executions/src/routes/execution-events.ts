/**
 * Server-sent events of one execution, read from its own row: any replica can serve them, and a stream that is opened late or
 * again still tells how it ended.
 */
import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound } from '@settler/chassis/refusal';
import { executionId } from '@settler/contracts/ids';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ExecutionQueries, ExecutionView } from '../application/queries.ts';
import { isOver } from '../domain/execution.ts';

const pollMs = 250;
const keepAliveMs = 15_000;
const streamMsMax = 14 * 60_000;

export const executionEventRoutes = (endpoint: Endpoints['endpoint'], queries: ExecutionQueries, isStopping: () => boolean): void => {
  endpoint('followExecution', {
    params: z.object({ id: executionId }),
    description:
      'Server-sent events: `progress` with `{id, status, progress}`, and at the end one of `completed`, `failed` or `cancelled` with summary and error besides, after which the stream ends. A stream that is opened late tells how it stands, or how it ended. Each event has an id: after a cut, and after the 14 minutes that one stream lasts at most, go on with `Last-Event-ID`.',
    answers: { 200: z.string().describe('text/event-stream: progress, completed, failed, cancelled') },
    handle: async ({ params, principal, request, reply }) => {
      const read = async () => queries.read(principal.organizationId, params.id);
      const first = await read();
      if (first === undefined) throw notFound('execution');
      await stream(reply, lastSeenOf(request.headers['last-event-id'], first.sequence), read, isStopping);
      return { status: 200 };
    },
  });
};

/** What was never given as an id stands for none: behind it there would be nothing to tell, not even the end. */
const lastSeenOf = (header: string | string[] | undefined, sequence: bigint): bigint => {
  const lastSeen = Number(header ?? 0);
  return Number.isSafeInteger(lastSeen) && lastSeen > 0 && BigInt(lastSeen) <= sequence ? BigInt(lastSeen) : 0n;
};

const stream = async (
  reply: FastifyReply,
  lastSeen: bigint,
  read: () => ReturnType<ExecutionQueries['read']>,
  isStopping: () => boolean,
): Promise<void> => {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-request-id': reply.request.id });
  // Whoever asks for the head alone is told no event, and waits for none.
  if (reply.request.method === 'HEAD') {
    raw.end();
    return;
  }
  let isClosed = false;
  raw.on('close', () => {
    isClosed = true;
  });
  const endAt = performance.now() + streamMsMax;
  let sent = lastSeen;
  let spokeAt = performance.now();
  while (!isClosed && !isStopping() && performance.now() < endAt) {
    const found = await read().catch(() => undefined); // The database may be away for a moment; the next look tells.
    if (found !== undefined && found.sequence > sent) {
      raw.write(eventText(found.view, found.sequence));
      sent = found.sequence;
      spokeAt = performance.now();
    }
    if (found !== undefined && isOver(found.view.status)) break;
    if (performance.now() - spokeAt > keepAliveMs) {
      raw.write(': still here\n\n');
      spokeAt = performance.now();
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  raw.end();
};

const eventText = (view: ExecutionView, sequence: bigint): string => {
  const name = isOver(view.status) ? view.status : 'progress';
  const { id, status, progress, summary, error } = view;
  const data = name === 'progress' ? { id, status, progress } : { id, status, progress, summary, error };
  return `id: ${sequence}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
};
