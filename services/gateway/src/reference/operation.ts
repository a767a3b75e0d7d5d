/** What the contract says of a route, added to what its service says of its schemas. */
import { STATUS_CODES } from 'node:http';
import { problems } from '@settler/contracts/problems';
import type { Route } from '@settler/contracts/routes';
import { allows, roles, scopesFor } from '@settler/contracts/scopes';
import { z } from 'zod';

export const operation = z.looseObject({
  operationId: z.string().optional(),
  tags: z.array(z.string()).optional(),
  parameters: z.array(z.unknown()).optional(),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).optional() })).default({}),
});
export type Operation = z.output<typeof operation>;

const header = (name: string, description: string, schema: object = { type: 'string' }) => ({ name, in: 'header', description, schema });

export const commonParameters = {
  IdempotencyKey: header(
    'Idempotency-Key',
    'The same key with the same body gives the first answer again, for 24 hours; with another body it is refused.',
    { type: 'string', minLength: 1, maxLength: 255 },
  ),
  IfMatch: header(
    'If-Match',
    'The ETag that the change is meant for. The number it begins with is compared, the revision, which every change counts up: `"7"` alone says the same.',
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

/** One for each status: its codes, and what they mean. */
export const commonResponses = Object.fromEntries(
  problemStatuses.map((status) => {
    const codes = Object.entries(problems).filter(([, problem]) => problem.status === status);
    const response = {
      description: codes.map(([code, { title }]) => `\`${code}\`: ${title}.`).join(' '),
      ...(headersOfStatus[status] === undefined ? {} : { headers: headersOfStatus[status] }),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    };
    return [nameOf(status), response];
  }),
);

const isProblem = (status: number): boolean => problemStatuses.includes(status as (typeof problemStatuses)[number]);

export const describeOperation = (route: Route, known: Operation): Operation => ({
  ...known,
  ...accessOf(route),
  ...(route.stream === 'upload' && known['requestBody'] === undefined ? { requestBody: uploadBody } : {}),
  parameters: [...(known.parameters ?? []), ...parametersOf(route)],
  responses: Object.fromEntries(
    Object.entries(known.responses).map(([status, response]) => {
      if (isProblem(Number(status))) return [status, { $ref: `#/components/responses/${nameOf(Number(status))}` }];
      const described = response['description'] === 'Default Response' ? { description: STATUS_CODES[status] ?? 'Success' } : {};
      return [
        status,
        {
          ...response,
          ...described,
          ...(route.stream === 'events' ? eventContent : {}),
          ...(route.stream === 'download' ? downloadContent : {}),
        },
      ];
    }),
  ),
});

const parametersOf = ({ idempotent, method, stream }: Route) =>
  [
    ...(idempotent ? ['IdempotencyKey'] : []),
    ...(method === 'PATCH' || method === 'DELETE' ? ['IfMatch'] : []),
    ...(stream === 'events' ? ['LastEventId'] : []),
  ].map((name) => ({ $ref: `#/components/parameters/${name}` }));

const eventContent = { content: { 'text/event-stream': { schema: { type: 'string' } } } };

/** What a file is in each of its formats is said by the header Content-Type of the answer. */
const downloadContent = { content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } } };

const uploadBody = {
  required: true,
  description: 'The file as it is, or as the one file of a form.',
  content: {
    'application/octet-stream': {},
    'multipart/form-data': { schema: { type: 'object', properties: { file: { type: 'string', format: 'binary' } } } },
  },
};

const accessOf = ({ access }: Route) => {
  if (access === 'public') return { security: [] };
  const both = [{ accessToken: [] }, { apiKey: [] }];
  if (access === 'any') return { security: both };
  if (access === 'user') return { security: [{ accessToken: [] }], description: 'For users; API keys are refused.' };
  const held = roles.filter((role) => allows(scopesFor(role), access));
  return { security: both, 'x-required-scope': access, description: `Scope \`${access}\`: ${held.join(', ')}.` };
};
