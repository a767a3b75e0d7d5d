/** The header `Idempotency-Key`, as the gateway and the services read it. */
import type { FastifyRequest } from 'fastify';
import { validationRefusal } from './problem.ts';
import { timesSent } from './raw-headers.ts';
import type { Refusal } from './refusal.ts';

const name = 'Idempotency-Key';

/** Quoted or bare; undefined where none was sent. @throws Refusal `validation_failed` */
export const readIdempotencyKey = ({ headers, raw }: FastifyRequest): string | undefined => {
  const header = headers['idempotency-key'];
  if (header === undefined) return undefined;
  // Node joins several with a comma, which a key may have in it: they would be taken for one that nobody has sent.
  if (timesSent(raw, name.toLowerCase()) > 1) throw refused('must be there once');
  const text = String(header);
  const bare = /^"(.*)"$/.exec(text)?.[1] ?? text;
  if (/^[\x20-\x7e]{1,255}$/.test(bare) && bare.trim() !== '') return bare;
  throw refused('must be 1 to 255 printable ASCII characters');
};

const refused = (message: string): Refusal => validationRefusal([{ path: name, message }]);
