/** What tests use. */
export { type Answer, type Client, type Credentials, client, type RequestOptions } from './client.ts';
export { createIsland, type Island } from './island.ts';
export type { DatabaseUser } from './island-stores.ts';
export { lockWaits } from './lock-waits.ts';
export type { TokenWanted } from './principal-token.ts';
export { startReplica } from './replica.ts';
export { type StartedRedis, startRedis } from './servers/redis.ts';
export { type StartedService, type StartOptions, startService, stopStartedServices } from './service-process.ts';
export { type System, type SystemOverrides, sharedSystem, startSystem } from './system.ts';
export { type WaitOptions, waitFor } from './wait-for.ts';
