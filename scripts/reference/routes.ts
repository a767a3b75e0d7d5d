import { type Route, routes, routesOf } from '@settler/contracts/routes';
import { allows, roles, scopes, scopesFor } from '@settler/contracts/scopes';
import { statefulServices } from '@settler/contracts/services';
import { bytes, code, duration, type Page, table } from './markdown.ts';

export const routesPage = (): Page => ({
  file: 'routes.md',
  title: 'Routes',
  about: `The ${Object.keys(routes).length} public routes: who may call each, and its limits.`,
  source: 'packages/contracts/src/routes.ts and scopes.ts',
  body: [
    'All of them are reached through the gateway. Access is a scope, `public` (no credentials), `any` (every credential) or `user` (an access token, not an API key). `Body` is the largest body a route reads, `time` the longest the gateway waits for its answer once the service has the request, and before that for the body. `K`: the route honours an `Idempotency-Key`. `1`: the named fields of the answer are shown once, and left out when it is replayed.',
    ...statefulServices.flatMap((service) => [
      `## ${service}`,
      table(
        ['route', 'access', 'body', 'time', 'marks', 'what it does'],
        routesOf(service).map(([, route]) => rowOf(route)),
      ),
    ]),
    '## Scopes and roles',
    table(
      ['scope', ...roles],
      scopes.map((scope) => [code(scope), ...roles.map((role) => (allows(scopesFor(role), scope) ? 'yes' : ''))]),
    ),
    'An API key has scopes of its own, at most those of whoever creates it.',
  ],
});

const rowOf = (route: Route): string[] => [
  code(`${route.method} ${route.path}`),
  code(route.access),
  hasBody(route) ? bytes(route.bodyBytesMax) : '',
  duration(route.timeoutMs),
  [...(route.idempotent ? ['K'] : []), ...(route.secretFields.length > 0 ? [`1 (${route.secretFields.map(code).join(', ')})`] : [])].join(
    ' ',
  ),
  route.summary +
    {
      none: '',
      upload: '; the body is streamed',
      download: '; the answer is streamed',
      events: '; the answer is a stream of server-sent events',
    }[route.stream],
];

const hasBody = ({ method }: Route): boolean => method === 'POST' || method === 'PATCH';
