/** A customer's webhook receiver, as a process of its own: verifies each signature, drops what it had before, and says what it saw. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

const seen = new Set<string>();
let secret: string | undefined;

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = Buffer.concat(parts).toString();
    try {
      if (secret === undefined) throw new Error('no secret yet');
      const { type } = new Webhook(secret).verify(body, request.headers as Record<string, string>) as { type: string };
      const id = String(request.headers['webhook-id']);
      const isNew = !seen.has(id);
      seen.add(id);
      response.writeHead(204).end();
      process.send?.({ kind: 'event', id, type, isNew, sequence: request.headers['settler-sequence'] });
    } catch (error) {
      response.writeHead(400).end();
      process.send?.({ kind: 'refused', reason: String(error) });
    }
  });
});

process.on('message', (message: { secret: string }) => {
  ({ secret } = message);
});
// The demo that started it is gone, and with it everybody who would listen.
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => process.send?.({ kind: 'listening', port: (server.address() as AddressInfo).port }));
