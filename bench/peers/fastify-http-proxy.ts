/** What a gateway on Fastify is usually made of, and nothing around it. `node peers/fastify-http-proxy.ts <port> <upstream>` */
import proxy from '@fastify/http-proxy';
import fastify from 'peer-fastify';

const [, , port, upstream = ''] = process.argv;
const app = fastify();
await app.register(proxy, { upstream });
await app.listen({ host: '127.0.0.1', port: Number(port) });
