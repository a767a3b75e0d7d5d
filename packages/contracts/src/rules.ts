/**
 * The rule language: ordered passes of conditions. What a construct means is fixed in the guide to matching rules; what this
 * version does not support is refused by name, never accepted and ignored.
 */
import { z } from 'zod';

const fieldName = z
  .string()
  .min(1, 'must not be empty')
  .max(200)
  .regex(/^[^.\s][^.]*(\.[^.]+)*$/, 'must be a field name, or a path such as metadata.order.id');
const decimalText = z
  .string()
  .max(32)
  .regex(/^(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$/, 'must be a decimal number that is not negative, such as "0.01"');
const text = z.string().min(1).max(100);

const transform = z.union([
  z.enum(['trim', 'lowercase', 'collapseSpaces', 'alphanumeric', 'digits', 'stripAccents', 'stripLeadingZeros', 'negate', 'abs'], {
    error:
      'is not a transform of this version: trim, lowercase, collapseSpaces, alphanumeric, digits, stripAccents, stripLeadingZeros, negate, abs, {"stripPrefix": …}, {"stripSuffix": …} or {"round": digits}',
  }),
  z.strictObject({ stripPrefix: text }),
  z.strictObject({ stripSuffix: text }),
  z.strictObject({ round: z.number().int().min(0).max(6) }),
]);
export type Transform = z.infer<typeof transform>;

const transforms = z.array(transform).max(20);
const normalize = z
  .union([transforms, z.strictObject({ source: transforms.default([]), target: transforms.default([]) })])
  .transform((value) => (Array.isArray(value) ? { source: value, target: value } : value));

const limit = z
  .strictObject({ absolute: decimalText.optional(), percent: decimalText.optional(), bps: decimalText.optional() })
  .refine((value) => Object.values(value).some((part) => part !== undefined), 'must have absolute, percent or bps');
export type Limit = z.infer<typeof limit>;

const tolerance = z
  .strictObject({ ...limit.shape, below: limit.optional(), above: limit.optional() })
  .refine((value) => Object.values(value).some((part) => part !== undefined), 'must have absolute, percent, bps, below or above');

const common = {
  verify: z.boolean().default(false),
  weight: z.number().positive().max(1_000).default(1),
  normalize: normalize.optional(),
  field: fieldName.optional(),
  source: fieldName.optional(),
  target: fieldName.optional(),
};

const days = z.number().int().min(0).max(3_660);
const unit = z.literal('days', { error: 'business days are not supported in this version; use "days"' }).default('days');
const window = z.strictObject({ before: days.default(0), after: days.default(0), unit });

const unsupported = (type: string) =>
  z.object({ type: z.literal(type) }).refine(() => false, `conditions of type ${type} are not supported in this version`);

const condition = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('exact'), ...common }),
      z.strictObject({ type: z.literal('amount'), ...common, tolerance: tolerance.default({ absolute: '0' }) }),
      z.strictObject({ type: z.literal('date'), ...common, within: window.default({ before: 0, after: 0, unit: 'days' }) }),
      unsupported('number'),
      unsupported('fuzzy'),
      unsupported('regex'),
      unsupported('oneOf'),
    ],
    { error: 'must be exact, amount or date' },
  )
  .superRefine((value, context) => {
    const { field, source, target } = value as { field?: string; source?: string; target?: string };
    const isPair = source !== undefined && target !== undefined;
    if (field === undefined ? isPair : source === undefined && target === undefined) return;
    context.addIssue({ code: 'custom', path: ['field'], message: 'name either `field`, or both `source` and `target`' });
  })
  .transform((value) => {
    const { field, source, target, ...rest } = value as Extract<typeof value, { verify: boolean }>;
    return { ...rest, source: source ?? field ?? '', target: target ?? field ?? '' };
  });
export type Condition = z.output<typeof condition>;

const later = (what: string) => z.undefined({ error: `${what} is not supported in this version` }).optional();

const pass = z
  .strictObject({
    name: z.string().trim().min(1).max(100),
    match: z.array(condition).min(1, 'must have at least one condition').max(50),
    minScore: z.number().min(0).max(1).default(0),
    cardinality: z.literal('one-to-one', { error: 'only one-to-one is supported in this version' }).default('one-to-one'),
    sum: later('sum'),
    search: later('search'),
  })
  .superRefine(({ match }, context) => {
    if (match.some((item) => !item.verify && (item.type !== 'exact' || item.source !== 'currency'))) return;
    const message =
      'must have a condition besides the currency that identifies the counterpart: with `verify` conditions alone everything would be compared with everything';
    context.addIssue({ code: 'custom', path: ['match'], message });
  });
export type Pass = z.output<typeof pass>;

const conflictResolution = z.enum(['best', 'first-wins', 'last-wins', 'manual-review']).default('best');

const longForm = z
  .strictObject({
    passes: z.array(pass).min(1, 'must have at least one pass').max(50),
    conflictResolution,
    minMargin: z.number().min(0).max(1).default(0),
    duplicates: z.strictObject({ by: z.array(fieldName).min(1).max(20), action: z.enum(['flag', 'ignore']) }).optional(),
    openItems: z
      .strictObject({
        carryForward: z.literal(false, { error: 'carrying open items forward is not supported in this version' }),
        maxAgeDays: later('maxAgeDays'),
        expectWithin: later('expectWithin'),
      })
      .optional(),
  })
  .superRefine(({ passes }, context) => {
    for (const [index, { name }] of passes.entries()) {
      if (passes.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({ code: 'custom', path: ['passes', index, 'name'], message: 'is the name of another pass' });
    }
  });

/** The short form, one pass of one-to-one, is read as the long one; what comes out always has its defaults filled in. */
export const rules = z
  .preprocess((value) => {
    if (typeof value !== 'object' || value === null || !('matching' in value)) return value;
    const { matching, ...rest } = value;
    return { ...rest, passes: [{ name: 'matching', match: matching }] };
  }, longForm)
  .meta({ id: 'Rules' });
export type Rules = z.output<typeof longForm>;
