/** What the contract says of a route, added to what its service says of its schemas. */
import { STATUS_CODES } from 'node:http';
import { type ProblemDocument, problemCodes, problems } from '@settler/contracts/problems';
import type { Route } from '@settler/contracts/routes';
import { allows, roles, scopesFor } from '@settler/contracts/scopes';
import { z } from 'zod';
import { problemExample } from './problem-examples.ts';

const mediaTypes = z.record(z.string(), z.looseObject({}));

export const operation = z.looseObject({
  operationId: z.string().optional(),
  description: z.string().optional(),
  tags: z.array(z.string()).optional(),
  requestBody: z.looseObject({ content: mediaTypes }).optional(),
  parameters: z.array(z.unknown()).optional(),
  responses: z.record(z.string(), z.looseObject({ content: mediaTypes.optional() })).default({}),
  /** Whether all of its fields may be left out. Swagger says of every body that it is required. */
  'x-settler-optional-body': z.boolean().optional(),
  'x-settler-examples': z
    .object({ bodies: z.record(z.string(), z.unknown()).optional(), answers: z.record(z.string(), z.unknown()).optional() })
    .optional(),
});
export type Operation = z.output<typeof operation>;

const header = (name: string, description: string, schema: object = { type: 'string' }) => ({ name, in: 'header', description, schema });

export const commonParameters = {
  IdempotencyKey: header(
    'Idempotency-Key',
    'Printable ASCII, quoted or bare. For 24 hours the same key with the same body gives the first answer again, with `Idempotent-Replayed: true` and without what is shown once; with another body it is `idempotency_key_reused`, and while the first is being worked on `idempotency_in_flight`.',
    { type: 'string', minLength: 1, maxLength: 255 },
  ),
  IfMatch: header(
    'If-Match',
    'The ETag that the change is meant for. The number it begins with is compared, the revision, which every change counts up: `"7"` alone says the same. Where it is another by now: `version_conflict`.',
  ),
  LastEventId: header('Last-Event-ID', 'The id of the last event that was received: the stream goes on behind it.'),
};

const retryAfter = { 'Retry-After': { description: 'After how many seconds to try again.', schema: { type: 'integer' } } };
const headersOfStatus: Readonly<Record<number, object>> = {
  401: { 'WWW-Authenticate': { description: 'How to say who you are.', schema: { type: 'string' } } },
  429: retryAfter,
  503: retryAfter,
};

const problemStatuses = [...new Set(Object.values(problems).map(({ status }) => status))];
const nameOf = (status: number): string => `Problem${status}`;

const responseOf = (status: number, said: Readonly<Record<string, ProblemDocument>>) => ({
  description: Object.entries(said)
    .map(([code, { title }]) => `\`${code}\`: ${title}.`)
    .join(' '),
  ...(headersOfStatus[status] === undefined ? {} : { headers: headersOfStatus[status] }),
  content: {
    'application/problem+json': {
      schema: { $ref: '#/components/schemas/Problem' },
      examples: Object.fromEntries(Object.entries(said).map(([code, value]) => [code, { value }])),
    },
  },
});

/** Headers that are too large have the code of what cannot be read, and the status that HTTP has for them. */
const headersTooLarge = {
  malformed_request: { ...problemExample('malformed_request'), status: 431, detail: 'The headers of the request are too large.' },
};

/** One for each status: its codes, and what they mean. */
export const commonResponses = Object.fromEntries([
  ...problemStatuses.map((status) => {
    const codes = problemCodes.filter((code) => problems[code].status === status);
    return [nameOf(status), responseOf(status, Object.fromEntries(codes.map((code) => [code, problemExample(code)])))];
  }),
  [nameOf(431), responseOf(431, headersTooLarge)],
]);

/** What does not arrive, or cannot be read, is answered before anybody knows which operation it was for. */
const beforeAnyRoute = { 408: { $ref: `#/components/responses/${nameOf(408)}` }, 431: { $ref: `#/components/responses/${nameOf(431)}` } };

const isProblem = (status: number): boolean => problemStatuses.includes(status as (typeof problemStatuses)[number]);

export const describeOperation = (
  route: Route,
  { 'x-settler-examples': examples, 'x-settler-optional-body': isOptional = false, ...known }: Operation,
): Operation => ({
  ...known,
  ...accessOf(route, known.description),
  ...bodyOf(route, known, isOptional, examples?.bodies),
  parameters: [...(known.parameters ?? []), ...parametersOf(route)],
  responses: { ...responsesOf(route, known, examples?.answers), ...beforeAnyRoute },
});

const responsesOf = (route: Route, { responses }: Operation, answers: Readonly<Record<string, unknown>> | undefined) =>
  Object.fromEntries(
    Object.entries(responses).map(([status, response]) => {
      if (isProblem(Number(status))) return [status, { $ref: `#/components/responses/${nameOf(Number(status))}` }];
      const described = response['description'] === 'Default Response' ? { description: STATUS_CODES[status] ?? 'Success' } : {};
      return [
        status,
        {
          ...response,
          ...described,
          ...shown(response, status, answers),
          ...(route.stream === 'events' ? eventContent : {}),
          ...(route.mediaTypes === undefined ? {} : { content: contentOf(route.mediaTypes) }),
        },
      ];
    }),
  );

const bodyOf = (
  { stream }: Route,
  { requestBody }: Operation,
  isOptional: boolean,
  examples: Readonly<Record<string, unknown>> | undefined,
) => {
  if (requestBody === undefined) return stream === 'upload' ? { requestBody: uploadBody } : {};
  const body = { ...requestBody, required: !isOptional };
  if (examples === undefined) return { requestBody: body };
  const named = Object.fromEntries(Object.entries(examples).map(([name, value]) => [name, { value }]));
  const { content } = requestBody;
  return {
    requestBody: { ...body, content: { ...content, 'application/json': { ...content['application/json'], examples: named } } },
  };
};

const shown = ({ content }: Operation['responses'][string], status: string, examples: Readonly<Record<string, unknown>> = {}) =>
  status in examples
    ? { content: { ...content, 'application/json': { ...content?.['application/json'], example: examples[status] } } }
    : {};

const parametersOf = ({ idempotent, method, stream }: Route) =>
  [
    ...(idempotent ? ['IdempotencyKey'] : []),
    ...(method === 'PATCH' || method === 'DELETE' ? ['IfMatch'] : []),
    ...(stream === 'events' ? ['LastEventId'] : []),
  ].map((name) => ({ $ref: `#/components/parameters/${name}` }));

const eventContent = { content: { 'text/event-stream': { schema: { type: 'string' } } } };

/** A file, in each of its formats. */
const contentOf = (types: readonly string[]) =>
  Object.fromEntries(types.map((type) => [type, { schema: { type: 'string', format: 'binary' } }]));

const uploadBody = {
  required: true,
  description: 'The file as it is, or as the one file of a form.',
  content: {
    'application/octet-stream': {},
    'multipart/form-data': { schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } },
  },
};

const accessOf = ({ access }: Route, said: string | undefined) => {
  const described = (who: string) => [said, who].filter((text) => text !== undefined).join('\n\n');
  if (access === 'public') return { security: [], description: described('For everybody: it takes no credentials.') };
  const both = [{ accessToken: [] }, { apiKey: [] }];
  if (access === 'any') return { security: both, description: described('For every credential, whatever its scopes.') };
  if (access === 'user') return { security: [{ accessToken: [] }], description: described('For users; API keys are refused.') };
  const held = roles.filter((role) => allows(scopesFor(role), access));
  return { security: both, 'x-required-scope': access, description: described(`Scope \`${access}\`: ${held.join(', ')}.`) };
};
