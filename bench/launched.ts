/** Servers of a benchmark, which end with it: also when it is told to end before it is over. */
import { rmSync } from 'node:fs';
import { type Launch, type LineListener, launchProcess, type RunningProcess } from '../packages/local/src/processes/launch.ts';
import { temporaryDirectories } from './directory.ts';

const running = new Set<RunningProcess>();
const graceMs = 12_000;

const end = async (code: number): Promise<void> => {
  await Promise.all([...running].map((server) => server.stop(graceMs)));
  for (const directory of temporaryDirectories) rmSync(directory, { recursive: true, force: true });
  process.exit(code);
};
process.once('SIGINT', () => void end(130));
process.once('SIGTERM', () => void end(143));

export const launched = (launch: Launch, onLine: LineListener): RunningProcess => {
  const server = launchProcess(launch, onLine);
  running.add(server);
  void server.exited.then(() => running.delete(server));
  return server;
};
