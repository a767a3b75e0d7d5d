/** What a benchmark is told on its command line. What it does not know it refuses, in place of running for ten minutes without it. */
import { parseArgs } from 'node:util';
import { orUsage } from '../../scripts/workspaces/usage.ts';

export interface Told {
  readonly isQuick: boolean;
  /** The one of `parts` that is to run alone. */
  readonly part: string | undefined;
}

/** Ends the process where help was asked for, or something else than there is. */
export const readArguments = (name: string, parts: readonly string[] = []): Told => {
  const usage = `npm run bench:${name} -- [--quick]${parts.map((part) => ` [${part}]`).join('')}\n  --quick  less of everything, in two minutes${parts.map((part) => `\n  ${part}  that part alone`).join('')}`;
  const options = { quick: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  return orUsage(usage, () => {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const unknown = positionals.find((part) => !parts.includes(part));
    if (unknown !== undefined || positionals.length > 1) throw new Error(`There is no ${unknown ?? positionals.join(' and ')}.`);
    return values.help === true ? 'help' : { isQuick: values.quick === true, part: positionals[0] };
  });
};
