/**
 * The rule language: ordered passes of conditions. What a construct means is fixed in the guide to matching rules; what this
 * version does not support is refused by name, never accepted and ignored.
 */
import { z } from 'zod';

const later = (what: string) => z.never({ error: `${what} is not supported in this version` }).optional();

/** A union told apart by looking at the value, so that a fault is named at its own place and not as "no option fits". */
const chosenBy = <Union extends z.ZodType>(choose: (value: unknown) => z.ZodType, union: Union) =>
  z.preprocess((value, context) => {
    for (const { message, path } of choose(value).safeParse(value).error?.issues ?? []) {
      context.addIssue({ code: 'custom', message, path, input: value });
    }
    return value;
  }, union);

const has = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, key);

const fieldName = z
  .string()
  .min(1, 'must not be empty')
  .max(200)
  .regex(/^[^.\s][^.]*(\.[^.]+)*$/, 'must be a field name, or a path such as metadata.order.id');
const decimalText = z
  .string({ error: 'must be a decimal number as a string, such as "0.01"' })
  .max(32)
  .regex(/^(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$/, 'must be a decimal number that is not negative, such as "0.01"');
const affix = z.string().min(1).max(100);

const textTransforms = ['trim', 'lowercase', 'collapseSpaces', 'alphanumeric', 'digits', 'stripAccents', 'stripLeadingZeros'] as const;
const namedTransform = z.enum([...textTransforms, 'negate', 'abs'], {
  error: `must be one of ${[...textTransforms, 'negate', 'abs'].join(', ')}, {"stripPrefix": …}, {"stripSuffix": …} or {"round": digits}`,
});
const stripPrefix = z.strictObject({ stripPrefix: affix });
const stripSuffix = z.strictObject({ stripSuffix: affix });
const round = z.strictObject({ round: z.number().int().min(0).max(6) });
const regexReplace = z.object({ regexReplace: later('regexReplace') });

const transform = chosenBy(
  (value) => {
    if (has(value, 'stripPrefix')) return stripPrefix;
    if (has(value, 'stripSuffix')) return stripSuffix;
    if (has(value, 'round')) return round;
    return has(value, 'regexReplace') ? regexReplace : namedTransform;
  },
  z.union([namedTransform, stripPrefix, stripSuffix, round]),
);
export type Transform = z.output<typeof transform>;

const transforms = z.array(transform).max(20);
const transformsOfSides = z.strictObject({ source: transforms.default([]), target: transforms.default([]) });
const normalize = chosenBy(
  (value) => (has(value, 'source') || has(value, 'target') ? transformsOfSides : transforms),
  z.union([transforms, transformsOfSides]),
).transform((value) => (Array.isArray(value) ? { source: value, target: value } : value));

const limits = { absolute: decimalText.optional(), percent: decimalText.optional(), bps: decimalText.optional() };
const isSet = (value: object): boolean => Object.values(value).some((part) => part !== undefined);
const limit = z.strictObject(limits).refine(isSet, 'must have absolute, percent or bps');
export type Limit = z.output<typeof limit>;

const tolerance = z
  .strictObject({ ...limits, below: limit.optional(), above: limit.optional() })
  .refine(isSet, 'must have absolute, percent, bps, below or above');

const days = z.number().int().min(0).max(3_660);
const window = z.strictObject({
  before: days.default(0),
  after: days.default(0),
  unit: z.literal('days', { error: 'must be "days": business days are not supported in this version' }).default('days'),
  calendar: later('a calendar'),
});

const common = {
  field: fieldName.optional(),
  source: fieldName.optional(),
  target: fieldName.optional(),
  normalize: normalize.optional(),
  verify: z.boolean().default(false),
  weight: z.number().positive().max(1_000).default(1),
};

const conditionTypes = ['exact', 'amount', 'date'] as const;
const laterTypes = ['number', 'fuzzy', 'regex', 'oneOf'];
const condition = z
  .discriminatedUnion(
    'type',
    [
      z.strictObject({ type: z.literal('exact'), ...common }),
      z.strictObject({
        type: z.literal('amount'),
        ...common,
        tolerance: tolerance.default({ absolute: '0' }),
        fee: later('fee'),
        fx: later('fx'),
      }),
      z.strictObject({ type: z.literal('date'), ...common, within: window.default({ before: 0, after: 0, unit: 'days' }) }),
    ],
    {
      error: ({ input }) => {
        if (typeof input !== 'object' || input === null) return 'must be a condition, an object with a type';
        const { type } = input as { type?: unknown };
        const isLater = laterTypes.some((name) => name === type);
        return isLater ? `${type} is not supported in this version` : `must be one of ${conditionTypes.join(', ')}`;
      },
    },
  )
  .superRefine(({ field, source, target }, context) => {
    const isPair = source !== undefined && target !== undefined;
    if (field === undefined ? isPair : source === undefined && target === undefined) return;
    context.addIssue({ code: 'custom', path: ['field'], message: 'name either `field`, or both `source` and `target`' });
  })
  // Either way it was written, a condition names the field of each side from here on.
  .transform(({ field = '', source = field, target = field, ...rest }) => ({ ...rest, source, target }));
export type Condition = z.output<typeof condition>;

/** Currencies are always compared, and there are few: they find nobody's counterpart. */
const isIdentifying = ({ verify, type, source }: Condition): boolean => !verify && !(type === 'exact' && source === 'currency');
const conditions = z
  .array(condition)
  .min(1, 'must have at least one condition')
  .max(50)
  .refine(
    (match) => match.length === 0 || match.some(isIdentifying),
    'would compare everything with everything: add a condition without `verify`, on a field other than the currency, that finds the counterpart',
  );

const pass = z.strictObject({
  name: z.string().trim().min(1, 'must not be empty').max(100),
  match: conditions,
  minScore: z.number().min(0).max(1).default(0),
  cardinality: z.literal('one-to-one', { error: 'must be "one-to-one": others are not supported in this version' }).default('one-to-one'),
  sum: later('sum'),
  search: later('search'),
});
export type Pass = z.output<typeof pass>;

const settings = {
  conflictResolution: z.enum(['best', 'first-wins', 'last-wins', 'manual-review']).default('best'),
  minMargin: z.number().min(0).max(1).default(0),
  duplicates: z.strictObject({ by: z.array(fieldName).min(1).max(20), action: z.enum(['flag', 'ignore']) }).optional(),
  openItems: z
    .strictObject({
      carryForward: z.literal(false, { error: 'must be false: carrying open items forward is not supported in this version' }),
      maxAgeDays: later('maxAgeDays'),
      expectWithin: later('expectWithin'),
    })
    .optional(),
};

const longForm = z
  .strictObject({ passes: z.array(pass).min(1, 'must have at least one pass').max(50), ...settings })
  .superRefine(({ passes }, context) => {
    for (const [index, { name }] of passes.entries()) {
      if (passes.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({ code: 'custom', path: ['passes', index, 'name'], message: 'is the name of another pass' });
    }
  });
export type Rules = z.output<typeof longForm>;

/** One pass, one-to-one. */
const shortForm = z.strictObject({ matching: conditions, ...settings });

const inLongForm = (value: z.output<typeof longForm> | z.output<typeof shortForm>): Rules => {
  if ('passes' in value) return value;
  const { matching, ...rest } = value;
  return { ...rest, passes: [{ name: 'matching', match: matching, minScore: 0, cardinality: 'one-to-one' }] };
};

/** Written in the long or the short form; what comes out is the long one with its defaults filled in. */
export const rules = chosenBy((value) => (has(value, 'matching') ? shortForm : longForm), z.union([longForm, shortForm]))
  .transform(inLongForm)
  .meta({ id: 'Rules' });
