import { adapterNamed, catalogue, catalogueEntry } from '@settler/adapters/catalogue';
import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound } from '@settler/chassis/refusal';
import { z } from 'zod';

const adapterAnswer = z
  .object({
    name: z.string(),
    title: z.string(),
    configSchema: z.record(z.string(), z.unknown()),
    secretFields: z.array(z.string()),
    fields: z.array(z.object({ name: z.string(), description: z.string(), required: z.boolean() })),
  })
  .meta({ id: 'Adapter' });

export const adapterRoutes = (endpoint: Endpoints['endpoint']): void => {
  endpoint('listAdapters', {
    answers: { 200: z.object({ data: z.array(adapterAnswer), nextCursor: z.null() }) },
    // The whole catalogue is one page: it has a few dozen entries at most.
    handle: async () => ({ status: 200, body: { data: catalogue.map(catalogueEntry), nextCursor: null } }),
  });

  endpoint('readAdapter', {
    params: z.object({ name: z.string().max(60) }),
    answers: { 200: adapterAnswer },
    handle: async ({ params }) => {
      const definition = adapterNamed(params.name);
      if (definition === undefined) throw notFound('adapter');
      return { status: 200, body: catalogueEntry(definition) };
    },
  });
};
