import { adapterNamed, catalogue, catalogueEntry } from '@settler/adapters/catalogue';
import type { Endpoints } from '@settler/chassis/endpoint';
import { type Cursors, pageByName, pageOf, pageQuery } from '@settler/chassis/pagination';
import { notFound } from '@settler/chassis/refusal';
import { z } from 'zod';

const adapterAnswer = z
  .object({
    name: z.string().describe('What `source.adapter` and `target.adapter` of a job are called by.'),
    title: z.string().describe('For people.'),
    configSchema: z.record(z.string(), z.unknown()).describe('The JSON Schema (2020-12) of its `config`.'),
    secretFields: z.array(z.string()).describe('Dotted paths into `config` whose values are never shown again.'),
    fields: z
      .array(
        z.object({
          name: z.string().describe('As rules and the `fields` of a configuration call it.'),
          description: z.string().describe('What it means.'),
          required: z.boolean().describe('Whether every record that could be read has it.'),
        }),
      )
      .describe('What its records can have. Any other field of the input can be used as well, under its own name.'),
  })
  .meta({ id: 'Adapter' });

export const adapterRoutes = (endpoint: Endpoints['endpoint'], cursors: Cursors): void => {
  endpoint('listAdapters', {
    description:
      'Where records can come from, with the JSON Schema of each configuration: what `config` of a job’s source and target takes. By name.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(adapterAnswer) },
    handle: async ({ query }) => {
      const { data, nextCursor } = pageByName(catalogue, ({ name }) => name, { cursors, list: 'adapters', ...query });
      return { status: 200, body: { data: data.map(catalogueEntry), nextCursor } };
    },
  });

  endpoint('readAdapter', {
    description: 'One entry of the list of adapters.',
    params: z.object({ name: z.string().max(60).describe('Its name, such as `csv`.') }),
    answers: { 200: adapterAnswer },
    handle: async ({ params }) => {
      const definition = adapterNamed(params.name);
      if (definition === undefined) throw notFound('adapter');
      return { status: 200, body: catalogueEntry(definition) };
    },
  });
};
