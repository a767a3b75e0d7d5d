/** Every public event. Webhook endpoints and outside consumers may subscribe to these and to nothing else. */
import type { EventDefinition } from './define.ts';
import * as executionEvents from './executions.ts';
import * as identityEvents from './identity.ts';
import * as jobEvents from './jobs.ts';

const isDefinition = (value: unknown): value is EventDefinition => typeof value === 'object' && value !== null && 'example' in value;

export const publicEvents: readonly EventDefinition[] = [identityEvents, jobEvents, executionEvents]
  .flatMap((module) => Object.values(module) as unknown[])
  .filter(isDefinition)
  .sort((one, other) => (one.type < other.type ? -1 : 1));

export const publicEventTypes: readonly string[] = publicEvents.map((definition) => definition.type);
