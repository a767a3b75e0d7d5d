/** Sends or fetches one large body, in a process of its own: `node http/bulk-client.ts <options as JSON>` prints one line of JSON. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { blocksOf, hashed, type Received, receive } from './bulk.ts';
import type { BulkOptions, BulkResult } from './bulk-load.ts';

const { url, headers, bytes, way, bytesPerSecond } = JSON.parse(process.argv[2] ?? '') as BulkOptions;
const startedAtMs = performance.now();

const answerTo = async (asked: ReturnType<typeof request>): Promise<IncomingMessage> => (await once(asked, 'response'))[0];

const upload = async (): Promise<readonly [Received, Received]> => {
  const length = way === 'length' ? { 'content-length': bytes } : {};
  const asked = request(url, { method: 'POST', headers: { ...headers, ...length, 'content-type': 'application/octet-stream' } });
  const hash = createHash('sha256');
  const [answer] = await Promise.all([answerTo(asked), pipeline(Readable.from(hashed(blocksOf(bytes), hash)), asked)]);
  return [{ bytes, sha256: hash.digest('hex') }, (await json(answer)) as Received];
};

const download = async (): Promise<readonly [Received, Received]> => {
  const hash = createHash('sha256');
  for (const block of blocksOf(bytes)) hash.update(block);
  const asked = request(url, { headers });
  asked.end();
  const answer = await answerTo(asked);
  const received = await receive(answer, (read) => {
    const earlyMs = (read / bytesPerSecond) * 1_000 - (performance.now() - startedAtMs);
    return earlyMs > 1 ? delay(earlyMs) : undefined;
  });
  return [{ bytes, sha256: hash.digest('hex') }, received];
};

const [sent, received] = await (way === 'slow reader' ? download() : upload());
console.log(JSON.stringify({ sent, received, seconds: (performance.now() - startedAtMs) / 1_000 } satisfies BulkResult));
