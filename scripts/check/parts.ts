/** What the check consists of, in order of how fast it says what is wrong. */
import { cruise, describeViolations } from './boundaries.ts';
import { type CommandResult, root, runCommand } from './command.ts';

export interface Outcome {
  readonly isOk: boolean;
  /** A few words behind the part's name. */
  readonly summary: string;
  /** What a person needs to mend it. */
  readonly output: string;
}

export interface Part {
  readonly name: string;
  readonly run: () => Promise<Outcome>;
}

const cruisedFolders = ['packages', 'services', 'tests', 'scripts'];

// dependency-cruiser without a TypeScript that it understands looks at nothing and reports success.
const cruisedModulesMin = 150;

const outcomeOf = ({ isOk, output }: CommandResult): Outcome => ({ isOk, output, summary: '' });

const boundaries = async (): Promise<Outcome> => {
  const { moduleCount, violations } = await cruise(root, cruisedFolders);
  const summary = `${moduleCount} modules`;
  if (moduleCount < cruisedModulesMin) {
    return {
      isOk: false,
      summary,
      output: `Only ${moduleCount} modules were looked at, fewer than ${cruisedModulesMin}: the rules were not applied.`,
    };
  }
  return { isOk: violations.length === 0, summary, output: describeViolations(violations) };
};

const reference = async (): Promise<Outcome> => {
  // Loaded here, so that code which does not load fails this part and not the others, which say why.
  const { referenceCommand, referenceFaults } = await import('../reference/pages.ts');
  const faults = referenceFaults();
  return { isOk: faults.length === 0, summary: '', output: [...faults, '', `\`${referenceCommand}\` writes it anew.`].join('\n') };
};

export const parts: readonly Part[] = [
  { name: 'lint', run: async () => outcomeOf(await runCommand('biome', ['check', '--error-on-warnings', '--max-diagnostics=100', '.'])) },
  { name: 'types', run: async () => outcomeOf(await runCommand('tsc', ['-b', 'tsconfig.json', 'tsconfig.check.json'])) },
  { name: 'boundaries', run: boundaries },
  { name: 'reference', run: reference },
  { name: 'dead code', run: async () => outcomeOf(await runCommand('knip', ['--treat-config-hints-as-errors'])) },
];
