/** One record of a JSON list, made canonical by the same plans as a row of cells. */
import { type FieldMappings, knownFields, reservedName } from '../fields/mapping.ts';
import { type FieldPlan, planField, planFields, settle } from '../fields/plan.ts';
import { isStorable } from '../fields/unreadable.ts';
import type { ReadRecord } from '../reader.ts';

export type SourceRecord = { readonly [key: string]: unknown };

/** `path` is where the value is in the record as it was sent, which may be under another name than the field's. */
export type RecordFault = { readonly path: readonly (string | number)[]; readonly field?: string; readonly reason: string };

const depthMax = 64;

/** Where it went wrong in deep nesting is told by how it begins. */
const pathLengthMax = 5;

/** Where `identified`, records have identities of their own, so each must have one. */
export const recordReader = (mappings: FieldMappings, identified: boolean) => {
  const plans = planFields(mappings);
  const mapped = new Set(plans.flatMap(({ columns }) => columns));
  // Under its own name a known field is what it is called, and is read as such: these are records of ours, not somebody's columns.
  const implied = Object.keys(knownFields)
    .filter((name) => mappings[name] === undefined && !mapped.has(name))
    .map((name) => planField(name, name, false));
  const isPlanned = new Set([...plans, ...implied].map(({ field }) => field));
  const currencyMapped = mappings['currency'] !== undefined;

  return (source: SourceRecord): { record: ReadRecord; fault: RecordFault | undefined } => {
    const record: ReadRecord = {};
    let fault = unstorable(source, 0);
    const set = (plan: FieldPlan): void => {
      const value = valueFor(plan, source);
      if ('path' in value) fault ??= value;
      else if (value.value !== undefined) record[plan.field] = value.value;
    };
    for (const plan of plans) set(plan);
    for (const plan of implied) {
      // Null says the same as nothing at all.
      if ((source[plan.field] ?? null) !== null) set(plan);
      else if (plan.field === 'id' && identified)
        fault ??= { path: ['id'], field: 'id', reason: 'is missing, while other records have one' };
    }
    for (const [key, value] of Object.entries(source)) {
      if (!isPlanned.has(key) && !mapped.has(key) && key !== reservedName) record[key] = value;
    }
    // Their amounts are decimals as JSON writes them, whose point is one.
    const unsettled = settle(record, currencyMapped, []);
    if (unsettled !== undefined)
      fault ??= { ...unsettled, path: plans.find(({ field }) => field === unsettled.field)?.columns.slice(0, 1) ?? [unsettled.field] };
    return { record, fault };
  };
};

const valueFor = (plan: FieldPlan, source: SourceRecord): RecordFault | { readonly value: unknown } => {
  const [first = plan.field, second] = plan.columns;
  if (plan.verbatim) return { value: source[first] };
  const cells: string[] = [];
  for (const key of plan.columns) {
    const value = source[key] ?? '';
    if (typeof value !== 'string') return { path: [key], field: plan.field, reason: `must be a string, not ${typeof value}` };
    cells.push(value);
  }
  const value = plan.read(cells[0] ?? '', cells[1] ?? '');
  if (typeof value !== 'object') return { value };
  return { path: [cells[0] === '' && second !== undefined ? second : first], field: plan.field, reason: value.reason };
};

/** What PostgreSQL could not store, anywhere in the record. The path is put together only for a fault, on the way out. */
const unstorable = (value: unknown, depth: number): RecordFault | undefined => {
  if (typeof value === 'string')
    return isStorable(value) ? undefined : { path: [], reason: 'must not contain NUL characters or unpaired surrogates' };
  if (typeof value !== 'object' || value === null) return undefined;
  if (depth > depthMax) return { path: [], reason: `is nested deeper than ${depthMax}` };
  if (Array.isArray(value)) return firstFault(value.entries(), depth);
  const unnameable = Object.keys(value).find((key) => key === reservedName || !isStorable(key));
  if (unnameable !== undefined) return { path: [], reason: `cannot have a field called ${JSON.stringify(unnameable.slice(0, 40))}` };
  return firstFault(Object.entries(value), depth);
};

const firstFault = (entries: Iterable<readonly [string | number, unknown]>, depth: number): RecordFault | undefined => {
  for (const [key, inner] of entries) {
    const fault = unstorable(inner, depth + 1);
    if (fault !== undefined) return { ...fault, path: [key, ...fault.path].slice(0, pathLengthMax) };
  }
  return undefined;
};
