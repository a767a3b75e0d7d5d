/** What a caller sends as source, target and rules, checked: the adapter exists and its own schema accepts the configuration. */
import { adapterNamed, catalogue, checkConfig } from '@settler/adapters/catalogue';
import { invalid } from '@settler/chassis/refusal';
import type { ProblemError } from '@settler/contracts/problems';
import type { Side } from '../domain/job.ts';

const faultsOf = (name: 'source' | 'target', side: Side): ProblemError[] => {
  const definition = adapterNamed(side.adapter);
  if (definition === undefined) {
    const known = catalogue.map((adapter) => adapter.name).join(', ');
    return [{ path: `${name}.adapter`, message: `there is no adapter of this name; there are ${known}` }];
  }
  const checked = checkConfig(definition, side.config);
  if (checked.ok) return [];
  return checked.errors.map(({ path, message }) => ({ path: [`${name}.config`, path].filter((part) => part !== '').join('.'), message }));
};

/** @throws Refusal `validation_failed` naming every fault of every side that is given */
export const requireReadable = (sides: { readonly source?: Side | undefined; readonly target?: Side | undefined }): void => {
  const faults = (['source', 'target'] as const).flatMap((name) => {
    const side = sides[name];
    return side === undefined ? [] : faultsOf(name, side);
  });
  if (faults.length > 0) throw invalid(faults);
};
