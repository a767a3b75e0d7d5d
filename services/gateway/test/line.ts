/** A wire that can be cut: what is connected through it loses its other end, and finds nobody there afterwards. */
import { connect, createServer, type Socket } from 'node:net';

export interface Line {
  /** The address at this end. */
  readonly url: string;
  readonly cut: () => void;
}

export const startLine = async (target: URL): Promise<Line> => {
  const ends = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end);
      end.on('error', () => {});
      end.once('close', () => {
        ends.delete(end);
        other.destroy();
      });
      end.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    cut: () => {
      server.close();
      for (const end of ends) end.destroy();
    },
  };
};
