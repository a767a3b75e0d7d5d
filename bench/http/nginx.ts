/** nginx as a proxy with connections to the upstream that are kept, one worker. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryDirectory } from '../directory.ts';
import { cores, type Server, startServer } from './servers.ts';

const configuration = (port: number, upstream: string): string => `
worker_processes 1;
daemon off;
pid nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  upstream behind { server ${new URL(upstream).host}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000000;
    location / { proxy_pass http://behind; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;

export const startNginx = async (port: number, upstream: string): Promise<Server> => {
  const folder = temporaryDirectory('settler-bench-nginx-');
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    writeFileSync(join(folder, 'nginx.conf'), configuration(port, upstream));
    const args = ['-p', folder, '-c', 'nginx.conf', '-e', 'stderr'];
    const server = await startServer({ name: 'nginx', core: cores.server, port, command: 'nginx', args });
    return { ...server, stop: () => server.stop().finally(remove) };
  } catch (error) {
    remove();
    throw error;
  }
};
