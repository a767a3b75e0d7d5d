import type { Endpoints } from '@settler/chassis/endpoint';
import { resource } from '@settler/chassis/entity-tag';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { exchangeRateId } from '@settler/contracts/ids';
import { currency } from '@settler/contracts/money';
import { day, instant } from '@settler/contracts/time';
import { z } from 'zod';
import type { ExchangeRateStore } from '../application/exchange-rates.ts';

const rateText = z
  .string()
  .max(25)
  .regex(/^(0|[1-9][0-9]{0,11})(\.[0-9]{1,12})?$/, 'must be a decimal number such as "1.0835", with at most 12 digits after the point')
  .refine((text) => /[1-9]/.test(text), 'must be above zero')
  .describe('How many of `quote` one of `base` is worth, exactly.');
const source = z.string().trim().min(1, 'must not be empty').max(100).describe('Who quoted it.');

/** As it is in the list, and in the report that uses it. */
export const rateFields = { base: currency, quote: currency, date: day, rate: rateText, source: z.string().nullable() };

const rateAnswer = z
  .object({ id: exchangeRateId, ...rateFields, updatedBy: z.object({ type: z.string(), id: z.string() }), updatedAt: instant })
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
    }),
});

const byId = z.object({ id: exchangeRateId });

export const exchangeRateRoutes = (endpoint: Endpoints['endpoint'], store: ExchangeRateStore, newId: () => string): void => {
  endpoint('setExchangeRates', {
    body: setBody,
    answers: { 200: z.object({ data: z.array(rateAnswer) }) },
    handle: async ({ body, principal, address }) => {
      const rates = body.rates.map((rate) => ({ ...rate, source: rate.source ?? null, newId: newId() }));
      return { status: 200, body: { data: await store.set(rates, { principal, address }) } };
    },
  });

  endpoint('listExchangeRates', {
    query: z.strictObject({
      ...pageQuery,
      base: currency.optional(),
      quote: currency.optional(),
      from: day.optional().describe('From this day on.'),
      to: day.optional().describe('Up to and with this day.'),
    }),
    answers: { 200: pageOf(rateAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await store.list(principal.organizationId, query) }),
  });

  endpoint('readExchangeRate', {
    params: byId,
    answers: { 200: rateAnswer },
    handle: async ({ params, principal }) => {
      const found = await store.read(principal.organizationId, params.id);
      if (found === undefined) throw notFound('exchange rate');
      return resource(200, found.view, found.revision);
    },
  });

  endpoint('deleteExchangeRate', {
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      await store.remove(params.id, ifMatch, { principal, address });
      return { status: 204 };
    },
  });
};
