/** `npm start` as a process of somebody else's, once everything is installed: of a test, of a benchmark. */
import { join } from 'node:path';
import type { Launch } from '@settler/local/processes/launch';
import { root } from '../check/command.ts';

export const readyLine = 'Settler is ready at';

/** Without its demo and on any free ports, unless the environment says otherwise. `said` is what it has printed. */
export const settlerLaunch = (dataDirectory: string, environment: Readonly<Record<string, string>>, said: () => string): Launch => ({
  name: 'Settler',
  command: process.execPath,
  arguments: ['--conditions=@settler/source', join(root, 'scripts/start.ts')],
  workingDirectory: root,
  environment: { SETTLER_DATA_DIR: dataDirectory, SETTLER_DEMO: '0', PORT: '0', ...environment },
  stopSignal: 'SIGTERM',
  isReady: async () => said().includes(readyLine),
});
