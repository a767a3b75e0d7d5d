/** All five services of an island, provisioned and ready. */
import { type Service, services, statefulServices } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import type { Island } from './island.ts';
import { type StartedService, startService } from './service-process.ts';

export interface System {
  /** Of the gateway. */
  readonly url: string;
  readonly services: Readonly<Record<Service, StartedService>>;
  readonly stop: () => Promise<void>;
}

/** Settings for every service, and those of one service, which win. */
export interface SystemOverrides extends Partial<Record<Service, Environment>> {
  readonly all?: Environment;
}

export const startSystem = async (island: Island, overrides: SystemOverrides = {}): Promise<System> => {
  await island.provision(...statefulServices);
  const start = async (service: Service) => {
    const environment = island.environmentFor(service, { ...overrides.all, ...overrides[service] });
    return [service, await startService(service, environment)] as const;
  };
  const started = Object.fromEntries(await Promise.all(services.map(start))) as Record<Service, StartedService>;
  return {
    url: started.gateway.url,
    services: started,
    stop: async () => {
      await Promise.all(Object.values(started).map((service) => service.stop()));
    },
  };
};
