/**
 * The rule language: ordered passes of conditions. What a construct means is fixed in the guide to matching rules; a fault is
 * refused at its place with its reason, never accepted and ignored.
 */
import { z } from 'zod';
import { isCurrency } from './currencies.ts';
import { exceptionCategory, exceptionSeverity } from './events/executions.ts';
import { compareDecimals, currency } from './money.ts';
import { hasGroup, patternFault, patternLengthMax } from './patterns.ts';
import { messageOf } from './problems.ts';

/** A union told apart by looking at the value, so that a fault is named at its own place and not as "no option fits". */
const chosenBy = <Union extends z.ZodType>(choose: (value: unknown) => z.ZodType, union: Union) =>
  z.preprocess((value, context) => {
    const refuse = (message: string, path: PropertyKey[]) => context.addIssue({ code: 'custom', message, path, input: value });
    for (const issue of choose(value).safeParse(value, { reportInput: true }).error?.issues ?? []) {
      if (issue.code === 'unrecognized_keys') for (const key of issue.keys) refuse('is not a known field', [...issue.path, key]);
      else refuse(messageOf(issue), issue.path);
    }
    return value;
  }, union);

/** What is wrong with a name is told in the words of its schema. */
const recordBy = <Name extends z.core.$ZodRecordKey, Value extends z.ZodType>(name: Name, value: Value) =>
  z.record(name, value, { error: (issue) => (issue.code === 'invalid_key' ? issue.issues[0]?.message : undefined) });

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value);
const has = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, key);

const fieldName = z
  .string()
  .min(1, 'must not be empty')
  .max(200)
  .regex(/^[^.\s][^.]*(\.[^.]+)*$/, 'must be a field name, or a path such as metadata.order.id')
  .describe('A field of a record, or a path into nested ones, such as `metadata.order.id`.');
const decimalText = z
  .string({ error: 'must be a decimal number as a string, such as "0.01"' })
  .max(32)
  .regex(/^(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?$/, { error: 'must be a decimal number that is not negative, such as "0.01"', abort: true });
const affix = z.string().min(1).max(100);

const textTransforms = ['trim', 'lowercase', 'collapseSpaces', 'alphanumeric', 'digits', 'stripAccents', 'stripLeadingZeros'] as const;
const namedTransform = z.enum([...textTransforms, 'negate', 'abs'], {
  error: `must be one of ${[...textTransforms, 'negate', 'abs'].join(', ')}, {"stripPrefix": …}, {"stripSuffix": …}, {"round": digits} or {"regexReplace": …}`,
});
const stripPrefix = z.strictObject({ stripPrefix: affix.describe('Taken off the front once, if it is there.') });
const stripSuffix = z.strictObject({ stripSuffix: affix.describe('Taken off the end once, if it is there.') });
const round = z.strictObject({ round: z.number().int().min(0).max(6).describe('A number to so many digits, half away from zero.') });

const patternsMax = 100;
const pattern = z
  .string()
  .min(1, 'must not be empty')
  .max(patternLengthMax, { abort: true })
  .superRefine((text, context) => {
    const message = patternFault(text);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
const capturing = pattern.refine(hasGroup, 'must have a group in parentheses: what it captures is what is compared');
const regexReplace = z.strictObject({
  regexReplace: z
    .strictObject({
      pattern: pattern.describe('What is looked for, at most 500 characters. It runs in linear time: no lookaround, no references back.'),
      with: z.string().max(200).describe('What takes its place.'),
    })
    .describe('Every occurrence.'),
});

const transform = chosenBy(
  (value) => {
    if (has(value, 'stripPrefix')) return stripPrefix;
    if (has(value, 'stripSuffix')) return stripSuffix;
    if (has(value, 'round')) return round;
    return has(value, 'regexReplace') ? regexReplace : namedTransform;
  },
  z.union([namedTransform, stripPrefix, stripSuffix, round, regexReplace]),
);
export type Transform = z.output<typeof transform>;

const transforms = z
  .array(transform)
  .max(20)
  .meta({ id: 'Transforms', description: 'Applied one after the other before values are compared.' });
const transformsOfSides = z.strictObject({
  source: transforms.default([]).describe('Of the source alone.'),
  target: transforms.default([]).describe('Of the target alone.'),
});
const normalize = chosenBy(
  (value) => (has(value, 'source') || has(value, 'target') ? transformsOfSides : transforms),
  z.union([transforms, transformsOfSides]),
).transform((value) => (Array.isArray(value) ? { source: value, target: value } : value));

const limits = {
  absolute: decimalText.optional().describe('In the units of what is compared, such as `"0.05"`.'),
  percent: decimalText.optional().describe('Of the source amount.'),
  bps: decimalText.optional().describe('Hundredths of a per cent of the source amount.'),
};
const isSet = (value: object): boolean => Object.values(value).some((part) => part !== undefined);
const limitForm = 'must be an object such as {"absolute": "0.01"} or {"percent": "1"}';
const limit = z.strictObject(limits, limitForm).refine(isSet, 'must have absolute, percent or bps');
export type Limit = z.output<typeof limit>;

const tolerance = z
  .strictObject(
    {
      ...limits,
      below: limit.optional().describe('For targets below the source, in place of the others.'),
      above: limit.optional().describe('For targets above the source, in place of the others.'),
    },
    limitForm,
  )
  .refine(isSet, 'must have absolute, percent, bps, below or above')
  .meta({ id: 'Tolerance', description: 'How far two values may lie apart, the bounds included. Of several the larger counts.' });

const isAboveZero = (amount: string): boolean => compareDecimals(amount, '0') > 0;
const percentOfAll = decimalText.refine(
  (percent) => compareDecimals(percent, '100') <= 0,
  'must be at most 100: a fee is part of what is paid',
);
const fee = z
  .strictObject(
    {
      percent: percentOfAll.optional().describe('Of the source amount, rounded half away from zero.'),
      fixed: decimalText
        .optional()
        .describe('For each record, in its currency; with `fx` in that of the target, of what the source comes to by the rate.'),
    },
    'must be an object such as {"percent": "1.4", "fixed": "0.25"}',
  )
  .refine(isSet, 'must have percent or fixed');
export type Fee = z.output<typeof fee>;

const noPair = 'must be two ISO 4217 currency codes such as "EUR/USD"';
const currencyPair = z
  .string()
  .regex(/^[A-Z]{3}\/[A-Z]{3}$/, { error: noPair, abort: true })
  .refine((pair) => pair.split('/').every(isCurrency), noPair);
const fxField = z.strictObject({ field: fieldName.describe('The field of the source record that has the rate.') });
const fxTable = z.strictObject({
  table: recordBy(currencyPair, decimalText.refine(isAboveZero, 'must be above zero')).describe(
    'Rates by pair, such as `{"EUR/USD": "1.0835"}`, each in the direction in which it is written.',
  ),
});
const fx = chosenBy((value) => (has(value, 'table') ? fxTable : fxField), z.union([fxField, fxTable]));
export type Fx = z.output<typeof fx>;

const day = z.iso.date('must be a date such as "2026-12-24"');
const holidays = z.strictObject({ holidays: z.array(day).max(5_000).describe('Days on which nothing is settled, besides weekends.') });
const namedCalendar = z.enum(['weekends', 'TARGET', 'US-federal', 'UK-banking'], {
  error: 'must be weekends, TARGET, US-federal, UK-banking or {"holidays": […]}',
});
const calendar = chosenBy((value) => (has(value, 'holidays') ? holidays : namedCalendar), z.union([namedCalendar, holidays]));
export type CalendarName = z.output<typeof calendar>;

const days = z.number().int().min(0).max(3_660);
const units = {
  unit: z
    .enum(['days', 'business-days'])
    .default('days')
    .describe('What is counted: all days, or those that are no weekend and no holiday.'),
  calendar: calendar.optional().describe('Whose holidays count, with `business-days`; `weekends` and none: nobody’s.'),
};
const isCalendarOfBusinessDays = ({ unit, calendar }: { unit: string; calendar?: CalendarName | undefined }): boolean =>
  calendar === undefined || unit === 'business-days';
const calendarFault = { path: ['calendar'], message: 'counts for business days alone: set `unit` to "business-days"' };
const window = z
  .strictObject(
    {
      before: days.default(0).describe('How many days the target may come before the source.'),
      after: days.default(0).describe('How many days the target may come after the source.'),
      ...units,
    },
    'must be an object such as {"before": 0, "after": 3}',
  )
  .refine(isCalendarOfBusinessDays, calendarFault)
  .meta({ id: 'DateWindow' });
export type Window = z.output<typeof window>;

const judged = {
  verify: z
    .boolean()
    .default(false)
    .describe('It finds nobody: where it alone fails, the two still belong together, and are `mismatched`.'),
  weight: z.number().positive().max(1_000).default(1).describe('How much it counts in the score of a pair.'),
};
const common = {
  field: fieldName.optional().describe('The field of both sides; or else `source` and `target`.'),
  source: fieldName.optional().describe('The field of the source, where the sides call it differently.'),
  target: fieldName.optional().describe('The field of the target.'),
  normalize: normalize
    .optional()
    .describe('Brings spellings together before they are compared: for both sides, or as `{"source": […], "target": […]}`.'),
  ...judged,
};

const threshold = 'must be a number above 0 and at most 1, such as 0.88: the least similarity that counts';

const ofFields = [
  z.strictObject({ type: z.literal('exact').describe('The texts are equal.'), ...common }),
  z.strictObject({
    type: z.literal('amount').describe('The amounts are equal, to the minor unit, or within the tolerance.'),
    ...common,
    tolerance: tolerance.default({ absolute: '0' }).describe('How far the target may lie from what should arrive.'),
    fee: fee.optional().describe('What a provider keeps: source − percent − fixed is what should arrive.'),
    fx: fx
      .optional()
      .describe('The rate at which the source becomes the currency of the target. Such a condition finds no counterparts by itself.'),
  }),
  z.strictObject({
    type: z.literal('date').describe('The days are equal, or within the window.'),
    ...common,
    within: window.default({ before: 0, after: 0, unit: 'days' }).describe('How far the target may come before or after the source.'),
  }),
  z.strictObject({
    type: z.literal('number').describe('Quantities, to 15 digits; money is for `amount`.'),
    ...common,
    tolerance: tolerance.default({ absolute: '0' }).describe('How far they may lie apart.'),
  }),
  z.strictObject({
    type: z.literal('fuzzy').describe('The texts are alike. It finds nobody by itself.'),
    ...common,
    similarity: z
      .enum(['levenshtein', 'jaro-winkler', 'token-set', 'trigram'])
      .default('jaro-winkler')
      .describe(
        '`jaro-winkler` for names, `levenshtein` for typing errors, `token-set` for words in any order, `trigram` for parts of words.',
      ),
    threshold: z.number(threshold).gt(0, threshold).max(1, threshold).describe('The least similarity that counts, from 0 to 1.'),
  }),
  z.strictObject({
    type: z.literal('regex').describe('What the pattern captures is equal.'),
    ...common,
    pattern: capturing.describe('With a group in parentheses: what it captures of both sides is compared. At most 500 characters.'),
  }),
] as const;

const typeNames = ['exact', 'amount', 'date', 'number', 'fuzzy', 'regex'];
const typeError = (names: readonly string[]) => ({
  error: ({ input }: { readonly input?: unknown }) =>
    typeof input === 'object' && input !== null ? `must be one of ${names.join(', ')}` : 'must be a condition, an object with a type',
});

type Named = { field?: string | undefined; source?: string | undefined; target?: string | undefined };
const namesItsFields = ({ field, source, target }: Named, context: z.RefinementCtx): void => {
  const isPair = source !== undefined && target !== undefined;
  if (field === undefined ? isPair : source === undefined && target === undefined) return;
  context.addIssue({ code: 'custom', path: ['field'], message: 'name either `field`, or both `source` and `target`' });
};

const conditionOfFields = (names: readonly string[]) =>
  z
    .discriminatedUnion('type', ofFields, typeError(names))
    .superRefine(namesItsFields)
    // Either way it was written, a condition names the field of each side from here on.
    .transform(({ field = '', source = field, target = field, ...rest }) => ({ ...rest, source, target }));
const fieldCondition = conditionOfFields(typeNames);
const firstCondition = conditionOfFields([...typeNames, 'oneOf']);
export type FieldCondition = z.output<typeof fieldCondition>;

/** What is asked of all alternatives together stands beside them. */
const alternative = fieldCondition.superRefine(({ verify, weight }, context) => {
  const refuse = (path: string) =>
    context.addIssue({ code: 'custom', path: [path], message: 'belongs to the oneOf: an alternative cannot have its own' });
  if (verify) refuse('verify');
  if (weight !== 1) refuse('weight');
});

const oneOf = z.strictObject({
  type: z.literal('oneOf').describe('One of several is enough.'),
  ...judged,
  conditions: z.array(alternative).min(2, 'must have at least two alternatives').max(10).describe('The best of them counts.'),
});
export type OneOf = z.output<typeof oneOf>;

const condition = chosenBy(
  (value) => (has(value, 'type') && (value as { type: unknown }).type === 'oneOf' ? oneOf : firstCondition),
  z.union([fieldCondition, oneOf]),
).meta({ id: 'Condition', description: 'What has to hold between a source record and a target record.' });
export type Condition = z.output<typeof condition>;

/** Those of a `oneOf`; of any other condition the condition itself. */
export const alternativesOf = (item: Condition): readonly FieldCondition[] => (item.type === 'oneOf' ? item.conditions : [item]);

/** Whether it finds counterparts by itself, without comparing everything with everything. Currencies are few: they find nobody's. */
const isFinding = (item: Condition): boolean => {
  if (item.verify) return false;
  switch (item.type) {
    case 'exact':
      return item.source !== 'currency';
    case 'regex':
    case 'date':
      return true;
    case 'amount':
      return item.fx === undefined;
    case 'oneOf':
      return item.conditions.every(isFinding);
    case 'number':
    case 'fuzzy':
      return false;
  }
};
const conditions = z
  .array(condition)
  .min(1, 'must have at least one condition')
  .max(50)
  .refine(
    (match) => match.length === 0 || match.some(isFinding),
    'would compare everything with everything: add an exact, regex, amount or date condition without `verify`, on a field other than the currency, that finds the counterpart',
  );

/** Where a condition, or an alternative, names a rate. */
const ratesIn = (match: readonly Condition[]): (string | number)[][] =>
  match.flatMap((item, index) => {
    if (item.type === 'oneOf') return ratesIn(item.conditions).map((path) => [index, 'conditions', ...path]);
    return item.type === 'amount' && item.fx !== undefined ? [[index, 'fx']] : [];
  });

export const cardinalities = ['one-to-one', 'one-to-many', 'many-to-one', 'many-to-many'] as const;
export type Cardinality = (typeof cardinalities)[number];

const sum = z.strictObject({
  tolerance: tolerance
    .default({ absolute: '0' })
    .describe('How far the totals of a group may lie apart; shares are of what its source records come to.'),
  fee: fee.optional().describe('What a provider keeps of each source record.'),
});
export type Sum = z.output<typeof sum>;
const search = z.strictObject({
  maxGroupSize: z.number().int().min(2).max(100).default(20).describe('How many records a group has at most.'),
});

const pass = z
  .strictObject({
    name: z.string().trim().min(1, 'must not be empty').max(100).describe('What results call it by; each pass has its own.'),
    match: conditions.describe('All of them have to hold. One at least finds counterparts by itself: exact, regex, amount or date.'),
    minScore: z.number().min(0).max(1).default(0).describe('Pairs below this score do not match, where all conditions hold.'),
    cardinality: z.enum(cardinalities).default('one-to-one').describe('How many source records meet how many target records.'),
    sum: sum.optional().describe('Of groups: how far their totals may lie apart.'),
    search: search.optional().describe('Of groups without a key: looks for the records that come to the amount of the one.'),
  })
  .superRefine(({ cardinality, sum: total, search: searched, match }, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (cardinality === 'one-to-one') {
      if (total !== undefined) refuse('sum', 'counts for groups alone: set `cardinality`');
      if (searched !== undefined) refuse('search', 'counts for groups alone: set `cardinality`');
      return;
    }
    for (const path of ratesIn(match))
      context.addIssue({
        code: 'custom',
        path: ['match', ...path],
        message: 'counts where one meets one: the sum of a group is in one currency',
      });
    if (cardinality === 'many-to-many' && searched !== undefined)
      refuse('search', 'finds the members of one record: one-to-many or many-to-one');
    const hasKey = match.some((item) => !item.verify && (item.type === 'exact' || item.type === 'regex') && isFinding(item));
    if (searched === undefined && !hasKey)
      refuse('match', 'must have an exact or regex condition that forms the groups, or the pass a `search`');
  });
export type Pass = z.output<typeof pass>;

const expectWithin = z
  .strictObject({ after: days.describe('How long, from the date of the record on.'), ...units }, 'must be an object such as {"after": 3}')
  .refine(isCalendarOfBusinessDays, calendarFault);

const fromAmount = z
  .strictObject({
    medium: decimalText.describe('From this amount on it is medium.'),
    high: decimalText.describe('From this amount on it is high.'),
    critical: decimalText.describe('From this amount on it is critical.'),
  })
  .partial()
  .refine((steps) => Object.keys(steps).length > 0, 'must say from which amount an exception is medium, high or critical')
  .refine(({ medium, high, critical }) => {
    const named = [medium, high, critical].filter((amount) => amount !== undefined);
    return named.every((amount, index) => index === 0 || compareDecimals(named[index - 1] as string, amount) <= 0);
  }, 'must rise: critical is not below high, nor high below medium');

const settings = {
  conflictResolution: z
    .enum(['best', 'first-wins', 'last-wins', 'manual-review'])
    .default('best')
    .describe('Who is taken where two are as good: `best` by id, `first-wins` and `last-wins` by date; `manual-review` asks a person.'),
  minMargin: z.number().min(0).max(1).default(0).describe('With `manual-review`: a person is asked below this margin as well.'),
  duplicates: z
    .strictObject({
      by: z.array(fieldName).min(1).max(20).describe('The fields that make one.'),
      action: z.enum(['flag', 'ignore']).describe('`flag`: those left without a counterpart are duplicates and not missing.'),
    })
    .optional()
    .describe('Records with ids of their own that say the same; without it they are ordinary records.'),
  openItems: z
    .strictObject({
      carryForward: z.boolean().default(true).describe('Whether it takes part in the next run, as if it had been delivered again.'),
      maxAgeDays: z.number().int().min(1).max(3_660).optional().describe('After so many days it takes part no more; its exception stays.'),
      expectWithin: expectWithin.optional().describe('How long a counterpart may take: until then a record is open, and no exception.'),
    })
    .optional()
    .describe('What becomes of records that stay without counterpart.'),
  approval: z
    .strictObject({
      above: recordBy(currency, decimalText)
        .refine((above) => Object.keys(above).length > 0, 'must name the amount of at least one currency')
        .describe('By currency: what is settled by hand above this takes a second person. A currency that is not named always does.'),
    })
    .optional()
    .describe('What one person may not settle alone.'),
  severity: z
    .strictObject({
      from: recordBy(currency, fromAmount)
        .optional()
        .describe(
          'By currency: from which amount at stake an exception is medium, high or critical. What is below all that are named is low.',
        ),
      categories: z
        .partialRecord(exceptionCategory, exceptionSeverity)
        .optional()
        .describe('By category: how urgent such an exception is, whatever its amount.'),
    })
    .refine(({ from, categories }) => from !== undefined || categories !== undefined, 'must have `from` or `categories`')
    .optional()
    .describe('How urgent exceptions are, where it is not as usual.'),
};

const longForm = z
  .strictObject({
    passes: z
      .array(pass)
      .min(1, 'must have at least one pass')
      .max(50)
      .describe('Run in order: what one has taken is gone for the next, so the surest comes first.'),
    ...settings,
  })
  .superRefine(({ passes }, context) => {
    for (const [index, { name }] of passes.entries()) {
      if (passes.findIndex((other) => other.name === name) === index) continue;
      context.addIssue({ code: 'custom', path: ['passes', index, 'name'], message: 'is the name of another pass' });
    }
  });
export type Rules = z.output<typeof longForm>;

/** One pass, one-to-one. */
const shortForm = z.strictObject({
  matching: conditions.describe('The conditions of the one pass, which is called `matching`.'),
  ...settings,
});

/** Neither is missing by itself; what else is wrong is told beside it. */
const neitherForm = z
  .strictObject(settings)
  .refine(() => false, { error: 'give `matching`, a list of conditions, or `passes`, each with a name and its `match`', when: () => true });

const bothForms = z.custom(() => false, 'give `matching` or `passes`, and not both: a job that was read has `passes`');

const inLongForm = (value: z.output<typeof longForm> | z.output<typeof shortForm>): Rules => {
  if ('passes' in value) return value;
  const { matching, ...rest } = value;
  return { ...rest, passes: [{ name: 'matching', match: matching, minScore: 0, cardinality: 'one-to-one' }] };
};

/** Whether what stays without counterpart takes part in the job's next runs. */
export const carriesForward = ({ openItems }: Rules): boolean => openItems?.carryForward ?? true;

const isTooMuch = z.custom(() => false, `must not have more than ${patternsMax} patterns`);
/** Each takes its milliseconds to compile, so they are counted before anybody looks at them. */
const hasTooManyPatterns = (value: unknown): boolean => {
  let found = 0;
  const waiting = [value];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (has(next, 'pattern')) found += 1;
    for (const inner of Object.values(next)) if (typeof inner === 'object') waiting.push(inner);
  }
  return found > patternsMax;
};

/** Written in the long or the short form; what comes out is the long one with its defaults filled in. */
export const rules = chosenBy(
  (value) => {
    if (hasTooManyPatterns(value)) return isTooMuch;
    if (has(value, 'matching')) return has(value, 'passes') ? bothForms : shortForm;
    return isObject(value) && !has(value, 'passes') ? neitherForm : longForm;
  },
  z.union([longForm, shortForm]),
)
  .transform(inLongForm)
  .meta({
    id: 'Rules',
    description: 'Which records belong together, and when a pair that does differs: passes, or in short one of them as `matching`.',
  });
