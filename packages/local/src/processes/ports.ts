/** Free ports for processes that we start. */
import { once } from 'node:events';
import { createServer } from 'node:net';

// Below the range that Linux takes outgoing connections' ports from (32768 upwards): a port there can be taken by any client
// while our process restarts, and a client that retries such a port on its own machine can even connect to itself.
const firstPort = 20_000;
const lastPort = 31_999;

/** Whether something could listen on this port of 127.0.0.1 right now. */
export const isFree = async (port: number): Promise<boolean> => {
  const server = createServer();
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true });
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
};

/**
 * `count` different free ports, the first ones found from `startAt` upwards (taken modulo the range, so any number will do).
 * The same start gives the same ports while nobody else takes them; different starts keep two systems on one machine apart.
 */
export const freePorts = async (count: number, startAt: number): Promise<number[]> => {
  const size = lastPort - firstPort + 1;
  const found: number[] = [];
  for (let step = 0; step < size && found.length < count; step += 1) {
    const port = firstPort + ((startAt + step) % size);
    if (await isFree(port)) found.push(port);
  }
  if (found.length < count) throw new Error(`No ${count} free ports between ${firstPort} and ${lastPort}`);
  return found;
};
