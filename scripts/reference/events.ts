import { envelope } from '@settler/contracts/envelope';
import { publicEvents } from '@settler/contracts/events/catalogue';
import type { EventDefinition } from '@settler/contracts/events/define';
import { eventSubject } from '@settler/contracts/subjects';
import { z } from 'zod';
import { code, json, type Page, table } from './markdown.ts';
import { fieldTable, type JsonSchema, typeText } from './schema.ts';

/** Events with one shape of data, such as those of a job. */
interface Family {
  readonly events: readonly EventDefinition[];
  readonly data: JsonSchema;
}

export const eventsPage = (): Page => {
  const families = familiesOf(publicEvents);
  const named = Object.assign({}, ...families.map(({ data }) => data.$defs ?? {})) as Record<string, JsonSchema>;
  return {
    file: 'events.md',
    title: 'Events',
    about: `The ${publicEvents.length} public events: when each is said, its subject, its data and an example.`,
    source: 'packages/contracts/src/events',
    body: [
      'A webhook endpoint may subscribe to a type, to all of an entity (`exception.*`) or to everything (`*`), and is sent `{type, timestamp, data}`. On the broker an event is the envelope below. `GET /v1/event-types` answers the same data schemas as JSON Schema.',
      table(
        ['event', 'when'],
        publicEvents.map(({ type, description }) => [`[${type}](#${anchor(type)})`, description]),
      ),
      '## The envelope',
      'CloudEvents 1.0 in structured JSON, with four extensions. `id` is also the message id on the broker and the `webhook-id` of a delivery.',
      fieldTable(schemaOf(envelope)),
      ...families.flatMap(familyBlocks),
      '## Types',
      ...Object.entries(named).flatMap(([name, schema]) => typeBlocks(name, schema)),
    ],
  };
};

const schemaOf = (schema: z.ZodType): JsonSchema => z.toJSONSchema(schema, { unrepresentable: 'any' }) as JsonSchema;

const familiesOf = (events: readonly EventDefinition[]): Family[] =>
  [...Map.groupBy(events, ({ type, data }) => `${type.split('.')[0]} ${JSON.stringify(schemaOf(data))}`).values()].flatMap((alike) =>
    alike[0] === undefined ? [] : [{ events: alike, data: schemaOf(alike[0].data) }],
  );

const familyBlocks = ({ events, data }: Family): string[] => [
  `## Data of ${events.map(({ type }) => type).join(', ')}`,
  fieldTable(data),
  ...events.flatMap((event) => [
    `### ${event.type}`,
    `${event.description} Said by ${event.service} on ${code(eventSubject(event.service, event.type, event.major, '<organizationId>'))}.`,
    json(event.example),
  ]),
];

const typeBlocks = (name: string, schema: JsonSchema): string[] =>
  [`### ${name}`, schema.description ?? '', schema.properties === undefined ? `${typeText(schema)}.` : fieldTable(schema)].filter(
    (block) => block !== '',
  );

/** As GitHub makes them of headings. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
