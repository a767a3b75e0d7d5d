// Receives Settler's webhooks as docs/guides/receive-webhooks.md says it should be done: verify, then de-duplicate, then act.
//
//   WEBHOOK_SECRET=whsec_… RECEIVER_PORT=8787 node examples/webhook-receiver.mjs [type]
//
// Prints each new event. With a type, such as execution.completed, it ends after the first event of that type.
import { createServer } from 'node:http';
import { Webhook } from 'standardwebhooks';

const { WEBHOOK_SECRET: secret = '', RECEIVER_PORT: port = '8787' } = process.env;
const [lastType] = process.argv.slice(2);
if (secret === '') {
  console.error('WEBHOOK_SECRET is missing: it is in the answer to POST /v1/webhooks, and nowhere else.');
  process.exit(2);
}
const webhook = new Webhook(secret);

// Events are at most 64 KiB. Whoever sends more than this is somebody else.
const bytesMax = 256 * 1024;

// In memory, because this is an example. A real receiver inserts the id in the transaction of whatever it does with the event.
const seenIds = new Set();

// Numbers have no gaps, but come in any order: `complete` is the last number up to which nothing is missing.
const early = new Set();
let complete;
const note = (number) => {
  complete ??= number - 1;
  early.add(number);
  while (early.delete(complete + 1)) complete += 1;
};

const receive = (body, headers) => {
  // Over the bytes as they came: JSON that was parsed and written again is not what was signed. Refuses what is older than 5 minutes.
  const event = webhook.verify(body, headers);
  const id = headers['webhook-id'];
  if (seenIds.has(id)) return undefined;
  seenIds.add(id);
  note(Number(headers['settler-sequence']));
  return { ...event, id };
};

const server = createServer((request, response) => {
  if (request.method !== 'POST') return response.writeHead(405, { allow: 'POST' }).end();
  const parts = [];
  let length = 0;
  request.on('data', (part) => {
    length += part.length;
    if (length <= bytesMax) parts.push(part);
  });
  request.on('end', () => {
    if (length > bytesMax) return response.writeHead(413).end();
    let event;
    try {
      event = receive(Buffer.concat(parts).toString(), request.headers);
    } catch (error) {
      console.error(`refused: ${error.message}`);
      return response.writeHead(400).end();
    }
    // Answered at once, a repetition too: what takes long is done afterwards, or Settler takes the answer for lost and sends again.
    response.writeHead(204).end(() => {
      if (event === undefined) return;
      const missing = early.size === 0 ? '' : `, waiting for number ${complete + 1}`;
      console.log(`${event.type} ${event.id}, number ${request.headers['settler-sequence']}${missing}: the signature holds`);
      if (event.type === lastType) process.exit(0);
    });
  });
});

server.listen(Number(port), '127.0.0.1');
