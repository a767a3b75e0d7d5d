/** All five services of an island, provisioned and ready. */
import { type Service, services, statefulServices } from '@settler/contracts/services';
import type { Environment } from '@settler/local/services/environment';
import { createIsland, type Island } from './island.ts';
import { type StartedService, type StartOptions, startService } from './service-process.ts';

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

export const startSystem = async (island: Island, overrides: SystemOverrides = {}, options: StartOptions = {}): Promise<System> => {
  await island.provision(...statefulServices);
  const start = async (service: Service) => {
    const environment = island.environmentFor(service, { ...overrides.all, ...overrides[service] });
    return [service, await startService(service, environment, options)] as const;
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

export interface SharedSystem {
  readonly island: Island;
  readonly system: System;
}

let shared: Promise<SharedSystem> | undefined;

/**
 * One system for the test files of a worker, from the first that asks for it until the run ends: starting it costs more than most of
 * what is tested on it. Whoever uses it has organizations of its own, and leaves services and tables as others expect them.
 */
export const sharedSystem = (): Promise<SharedSystem> => {
  shared ??= (async () => {
    const island = await createIsland();
    return { island, system: await startSystem(island, {}, { endsWith: 'the run' }) };
  })();
  return shared;
};
