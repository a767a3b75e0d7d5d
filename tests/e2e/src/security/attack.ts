/** Two organizations that every test of an attack may use, and what such tests ask for again and again. */
import { type Route, type RouteName, routes } from '@settler/contracts/routes';
import { sharedSystem } from '@settler/harness';
import { createParty, type Party } from '../party.ts';

export interface Attack {
  readonly url: string;
  readonly ours: Party;
  readonly theirs: Party;
}

/** Nobody listens there: what is sent to it is not what such tests look at. */
const nowhere = 'http://127.0.0.1:9/nobody';

let made: Promise<Attack> | undefined;

/** The same two for all files of a worker: making them costs more than most of what is tried on them. */
export const attack = (): Promise<Attack> => {
  made ??= (async () => {
    const { url } = (await sharedSystem()).system;
    const [ours, theirs] = await Promise.all([createParty(url, 'attacker', nowhere), createParty(url, 'victim', nowhere)]);
    return { url, ours, theirs };
  })();
  return made;
};

export const everyRoute: readonly (readonly [RouteName, Route])[] = Object.entries(routes) as [RouteName, Route][];

const someId = '01jqv8m0c4e7r9t2w5y8a1b3d6';
const kindOf = (path: string): string => {
  const [, collection = ''] = /\/([a-z-]+)\/\{/.exec(path) ?? [];
  return { members: 'usr', 'api-keys': 'key', executions: 'exe', exceptions: 'exc', files: 'fil', webhooks: 'whk' }[collection] ?? 'job';
};

/** A path of this route that nobody has anything at. */
export const pathToNothing = ({ path }: Route): string =>
  path
    .replace('{version}', '1')
    .replace('{name}', 'abacus')
    .replaceAll(/\{\w+\}/g, `${kindOf(path)}_${someId}`);
