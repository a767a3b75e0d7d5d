/** How a service's process is started. */
import { fileURLToPath } from 'node:url';
import type { Service } from '@settler/contracts/services';
import type { Launch } from '../processes/launch.ts';
import { type Environment, serviceUrl } from './environment.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

/** The folder of a service in this checkout, from its root: `services/jobs/migrations`. */
export const inCheckout = (path: string): string => `${root}${path}`;

/**
 * Otherwise glibc raises the size from which memory is the system's own to that of the largest piece that was given back, and a run's
 * columns stay in the process for good. The image of a service says the same.
 */
export const memoryGoesBack = { MALLOC_MMAP_THRESHOLD_: '131072' };

export const serviceLaunch = (service: Service, environment: Environment): Launch => ({
  name: service,
  command: process.execPath,
  arguments: ['--conditions=@settler/source', inCheckout(`services/${service}/src/main.ts`)],
  workingDirectory: root,
  // Sources are compiled at each start otherwise, which is a third of what a start costs.
  environment: { NODE_COMPILE_CACHE: inCheckout('node_modules/.cache/services'), ...memoryGoesBack, ...environment },
  stopSignal: 'SIGTERM',
  isReady: async () => (await fetch(`${serviceUrl(Number(environment['PORT']))}/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok,
});
