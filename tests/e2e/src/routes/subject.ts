/** Brings together what is known of a route. */
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { cases } from './cases.ts';
import type { Operation } from './descriptions.ts';
import type { Subject } from './probe.ts';

/** @throws where it is missing anywhere */
export const subjectOf = (operations: ReadonlyMap<string, Operation>, name: string): Subject => {
  const [route, operation, known] = [routes[name as RouteName] as Route | undefined, operations.get(name), cases[name]];
  if (route === undefined || operation === undefined || known === undefined)
    throw new Error(`${name} is not in the contract, not served, or has no cases`);
  return { name, route, operation, known };
};
