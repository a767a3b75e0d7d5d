/** What has no case: routes that are served, and statuses that they say they answer with. */
import type { Cases } from './case.ts';
import type { Operation } from './descriptions.ts';
import type { Probe } from './probe.ts';

export interface Coverage {
  /** As the running services say. */
  readonly operations: ReadonlyMap<string, Operation>;
  readonly cases: Cases;
  readonly probesOf: (name: string) => readonly Pick<Probe, 'status'>[];
}

/** What every route answers in trouble; see trouble-probes. A fault of ours is provoked through the database, where one is asked. */
const inTrouble = (isFromMemory: boolean): readonly number[] => (isFromMemory ? [429, 503] : [429, 500, 503]);
/** Of the path, and not of any route of it. */
const notOfRoutes: ReadonlySet<number> = new Set([405]);

/** One line for each, with the route's name; none where every route is asked in every way. */
export const gapsOf = ({ operations, cases, probesOf }: Coverage): string[] => [
  ...Object.keys(cases).flatMap((name) => (operations.has(name) ? [] : [`${name} has cases and is not served`])),
  ...[...operations].flatMap(([name, operation]) => {
    const known = cases[name];
    if (known === undefined) return [`${name} is served and has no cases`];
    const isFromMemory = known.isFromMemory === true;
    const provoked = new Set([...probesOf(name).map(({ status }) => status), ...inTrouble(isFromMemory)]);
    const declared = new Set(Object.keys(operation.responses).map(Number));
    if (isFromMemory) declared.delete(500);
    return [
      ...[...declared].filter((status) => !provoked.has(status)).map((status) => `${name} declares ${status}, which nothing provokes`),
      ...[...provoked]
        .filter((status) => !declared.has(status) && !notOfRoutes.has(status))
        .map((status) => `${name} answers ${status}, which it does not declare`),
    ];
  }),
];
