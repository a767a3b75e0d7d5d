/** A customer's receiver of webhooks: verifies every signature with a library that is not ours and drops what it had before. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export interface Received {
  readonly id: string;
  readonly type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read events of many shapes, and each asserts the one it expects.
  readonly data: any;
}

export interface Receiver {
  readonly url: string;
  /** Deliveries that verified, each event once. */
  readonly received: Received[];
  /** Deliveries that did not verify. */
  readonly refused: string[];
  readonly trust: (secret: string) => void;
  readonly close: () => Promise<void>;
}

export const startReceiver = async (): Promise<Receiver> => {
  const received: Received[] = [];
  const refused: string[] = [];
  let webhook: Webhook | undefined;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      try {
        if (webhook === undefined) throw new Error('no secret yet');
        const body = webhook.verify(Buffer.concat(parts).toString(), request.headers as Record<string, string>) as Omit<Received, 'id'>;
        const id = String(request.headers['webhook-id']);
        if (!received.some((other) => other.id === id)) received.push({ ...body, id });
        response.writeHead(204).end();
      } catch (error) {
        refused.push(String(error));
        response.writeHead(400).end();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    received,
    refused,
    trust: (secret) => {
      webhook = new Webhook(secret);
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
};
