/** Stands between a document's commands and the gateway, and remembers what was answered: curl exits with 0 whatever the status. */
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Witness {
  readonly url: string;
  /** Answers since the last call that were no success. */
  readonly takeFailures: () => readonly string[];
  readonly close: () => Promise<void>;
}

export const startWitness = async (target: string): Promise<Witness> => {
  const failures: string[] = [];
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request;
    const forwarded = ask(`${target}${url}`, { method, headers }, (answer) => {
      const { statusCode = 0 } = answer;
      if (statusCode < 200 || statusCode > 299) failures.push(`${method} ${url} was answered ${statusCode}`);
      response.writeHead(statusCode, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', (error) => {
      failures.push(`${method} ${url} was not answered: ${error.message}`);
      response.destroy();
    });
    request.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    takeFailures: () => failures.splice(0),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
