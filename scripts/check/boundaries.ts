/** Applies the rules of .dependency-cruiser.cjs, and makes sure that they were applied to something. */
import { root, runCommand } from './command.ts';

export interface Violation {
  readonly rule: string;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

export interface Cruise {
  readonly moduleCount: number;
  readonly violations: readonly Violation[];
}

interface CruiseReport {
  readonly modules: readonly { readonly source: string }[];
  readonly summary: {
    readonly violations: readonly { readonly from: string; readonly to: string; readonly rule: { readonly name: string } }[];
    readonly ruleSetUsed: { readonly forbidden: readonly { readonly name: string; readonly comment: string }[] };
  };
}

const configuration = `${root}.dependency-cruiser.cjs`;

/** @param directory a tree laid out like this repository. @param folders those of it to look at. */
export const cruise = async (directory: string, folders: readonly string[]): Promise<Cruise> => {
  const { stdout, output } = await runCommand('depcruise', ['--config', configuration, '--output-type', 'json', ...folders], {
    workingDirectory: directory,
  });
  const report = parse(stdout, output);
  const whys = new Map(report.summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
  return {
    // Those that it looked into, and not what they import from elsewhere.
    moduleCount: report.modules.filter(({ source }) => folders.some((folder) => source.startsWith(`${folder}/`))).length,
    violations: report.summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to, why: whys.get(rule.name) ?? '' })),
  };
};

const parse = (stdout: string, output: string): CruiseReport => {
  try {
    return JSON.parse(stdout) as CruiseReport;
  } catch {
    throw new Error(`dependency-cruiser gave no report:\n${output}`);
  }
};

/** One paragraph per rule that was broken. */
export const describeViolations = (violations: readonly Violation[]): string => {
  const rules = Object.groupBy(violations, ({ rule }) => rule);
  const paragraphs = Object.entries(rules).map(([rule, broken = []]) => {
    const places = broken.map(({ from, to }) => `  ${from} → ${to}`);
    return [`${rule}: ${broken[0]?.why ?? ''}`, ...places].join('\n');
  });
  return paragraphs.join('\n\n');
};
