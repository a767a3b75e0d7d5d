/** Answers of the gateway's own to requests whose bodies have not come yet, or not all of them: refusals, most of all. */
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyOver } from './body.ts';

export const answerBeforeBody = (app: FastifyInstance): void => {
  // Node would ask for the body at once. It is asked for once somebody takes it: who may not upload is told before uploading.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  // Nothing else can be expected of us, and nothing else is promised.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.addHook('onSend', (request, reply, payload, done) => {
    if (request.raw.complete || !(typeof payload === 'string' || Buffer.isBuffer(payload))) return done(null, payload);
    // Whether a body that was never asked for comes all the same is the client's choice, and the next request is behind it.
    if (request.headers.expect !== undefined) reply.header('connection', 'close');
    reply.header('content-length', Buffer.byteLength(payload));
    done(null, lingering(payload, request));
  });
};

/** An answer that is whole at once, as its length says, and over when the body is. */
const lingering = (body: string | Buffer, { raw }: FastifyRequest): Readable =>
  Readable.from(
    (async function* () {
      yield body;
      await bodyOver(raw);
      if (!raw.complete) raw.destroy();
    })(),
    { objectMode: false },
  );
