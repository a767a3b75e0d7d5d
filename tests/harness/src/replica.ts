/** Another process of a service beside those that an island has. */
import type { Service } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import type { Island } from './island.ts';
import { type StartedService, startService } from './service-process.ts';

/** On a spare port of the island where `settings` name none. */
export const startReplica = async (island: Island, service: Service, settings: Environment = {}): Promise<StartedService> => {
  const PORT = settings['PORT'] ?? String(await island.sparePort());
  return startService(service, island.environmentFor(service, { ...settings, PORT }));
};
