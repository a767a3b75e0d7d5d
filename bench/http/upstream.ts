/** What stands behind everything that is measured: it answers at once, with a page of two jobs. `node http/upstream.ts <port>` */
import { createServer } from 'node:http';

const job = { id: 'job_01jd0000000000000000000000', name: 'Orders against payouts', status: 'active', version: 3, tags: ['shop', 'daily'] };
const page = JSON.stringify({ data: [job, job], nextCursor: null, hasMore: false });
const headers = { 'content-type': 'application/json; charset=utf-8', 'content-length': Buffer.byteLength(page) };

createServer((request, response) => {
  request.resume();
  response.writeHead(200, headers).end(page);
}).listen(Number(process.argv[2]), '127.0.0.1');
