/** Takes uploads, and says what it took; gives exports of `bytes`. `node http/bulk-upstream.ts <port> <bytes>` */
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { blocksOf, receive } from './bulk.ts';

const [, , port, bytes] = process.argv;

createServer(async (request, response) => {
  if (request.method === 'POST') {
    const received = await receive(request, () => undefined);
    response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify(received));
  } else if (request.url?.includes('/export')) {
    response.writeHead(200, { 'content-type': 'text/csv' });
    await pipeline(Readable.from(blocksOf(Number(bytes))), response);
  } else response.end();
}).listen(Number(port), '127.0.0.1');
