/** The least that passes a request on and its answer back. `node peers/undici-proxy.ts <port> <upstream>` */
import { createServer } from 'node:http';
import { Pool } from 'peer-undici';

const [, , port, upstream = ''] = process.argv;
const pool = new Pool(upstream, { connections: 64, pipelining: 1 });

createServer((request, response) => {
  const { method = 'GET', url = '/' } = request;
  const body = method === 'GET' || method === 'HEAD' ? null : request;
  pool.dispatch(
    { method, path: url, headers: { 'content-type': request.headers['content-type'] }, body },
    {
      onRequestStart: () => {},
      onResponseStart: (_controller, status, headers) => {
        response.writeHead(status, {
          'content-type': headers['content-type'],
          'content-length': headers['content-length'],
        });
      },
      onResponseData: (_controller, chunk) => {
        response.write(chunk);
      },
      onResponseEnd: () => {
        response.end();
      },
      onResponseError: () => {
        response.destroy();
      },
    },
  );
}).listen(Number(port), '127.0.0.1');
