import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { actor } from '@settler/contracts/actor';
import { exchangeRateId } from '@settler/contracts/ids';
import { currency } from '@settler/contracts/money';
import { day, instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { ExchangeRateStore } from '../application/exchange-rates.ts';
import { exchangeRate, newRates } from './examples.ts';

const rateText = z
  .string()
  .max(25)
  .regex(/^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$/, 'must be a decimal number such as "1.0835", with at most 12 digits after the point')
  .refine((text) => /[1-9]/.test(text), 'must be above zero')
  .describe('How many of `quote` one of `base` is worth, exactly.');
const source = z.string().trim().min(1, 'must not be empty').max(100).describe('Who quoted it.');

/** As it is in the list, and in the report that uses it. */
export const rateFields = {
  base: currency.describe('The currency of which there is one.'),
  quote: currency.describe('The currency that it is told in.'),
  date: day.describe('The day from which on the rate counts, until the next one of the pair.'),
  rate: rateText,
  source: z.string().nullable().describe('Who quoted it.'),
};

const rateAnswer = z
  .object({ id: exchangeRateId, ...rateFields, updatedBy: actor.describe('Who set it last.'), updatedAt: instant })
  .meta({ id: 'ExchangeRate' });

const setBody = z.strictObject({
  rates: z
    .array(
      z
        .strictObject({ ...rateFields, source: source.optional() })
        .refine(({ base, quote }) => base !== quote, { path: ['quote'], message: 'must be another currency than `base`' }),
    )
    .min(1)
    .max(1_000)
    .superRefine((rates, context) => {
      const seen = new Set<string>();
      for (const [index, { base, quote, date }] of rates.entries()) {
        const key = `${base} ${quote} ${date}`;
        if (seen.has(key)) context.addIssue({ code: 'custom', path: [index], message: 'has the pair and the day of another one' });
        seen.add(key);
      }
    })
    .describe('At most 1,000; each pair and day once.'),
});

const byId = z.object({ id: exchangeRateId });

export const exchangeRateRoutes = (endpoint: Endpoints['endpoint'], store: ExchangeRateStore, newId: () => string): void => {
  endpoint('setExchangeRates', {
    description:
      'For the totals of reports in one currency; matching converts by the `fx` of its rules alone. A pair and day that has a rate gets this one in its place, and keeps its id. All of them are set, or none. Reports are computed when they are read, and so a change shows in those of old runs as well.',
    body: setBody,
    answers: { 200: z.object({ data: z.array(rateAnswer).describe('As they are now, in the order of the request.') }) },
    examples: { bodies: newRates, answers: { 200: { data: [exchangeRate] } } },
    handle: async ({ body, principal, address }) => {
      const rates = body.rates.map((rate) => ({ ...rate, source: rate.source ?? null, newId: newId() }));
      return { status: 200, body: { data: await store.set(rates, { principal, address }) } };
    },
  });

  endpoint('listExchangeRates', {
    description: 'Newest day first. `base` and `quote` are taken as they stand: EUR/USD does not find USD/EUR.',
    query: z
      .strictObject({
        ...pageQuery,
        base: currency.optional().describe('Only rates of this base.'),
        quote: currency.optional().describe('Only rates of this quote.'),
        from: day.optional().describe('From this day on.'),
        to: day.optional().describe('Up to and with this day, which is not before `from`.'),
      })
      .refine(({ from, to }) => from === undefined || to === undefined || from <= to, {
        path: ['to'],
        message: 'must not be before `from`',
      }),
    answers: { 200: pageOf(rateAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await store.list(principal.organizationId, query) }),
  });

  endpoint('readExchangeRate', {
    description: 'As it was set last.',
    params: byId,
    answers: { 200: rateAnswer },
    examples: { answers: { 200: exchangeRate } },
    handle: async ({ params, principal }) => {
      const found = await store.read(principal.organizationId, params.id);
      if (found === undefined) throw notFound('exchange rate');
      return resource(200, found.view, found.revision);
    },
  });

  endpoint('deleteExchangeRate', {
    description: 'Reports use the newest rate before it from now on, those of old runs as well. The audit trail keeps what it was.',
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.remove(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
