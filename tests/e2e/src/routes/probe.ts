/** One way of asking a route, the answer that is due, and what is wrong with the answer that came. */
import type { Route } from '@settler/contracts/routes';
import type { Answer, Client, RequestOptions } from '@settler/harness';
import type { Party } from '../party.ts';
import type { Case, Setting, Wanted } from './case.ts';
import type { Compare, Operation } from './descriptions.ts';

/** A route as everybody sees it: the contract, its service's description, and its cases. */
export interface Subject {
  readonly name: string;
  readonly route: Route;
  readonly operation: Operation;
  readonly known: Case;
}

export interface Probe {
  readonly what: string;
  readonly status: number;
  readonly code?: string;
  /** Which of the `errors` there has to be. */
  readonly place?: string;
  readonly ask: (setting: Setting) => Promise<Answer>;
  /** What else has to be so: one sentence for each thing that is not. */
  readonly look?: (answer: Answer, setting: Setting) => Promise<readonly string[]> | readonly string[];
}

export const clientOf = (party: Party, { as }: Wanted): Client => (as === undefined ? party.key : party[as]);

export const askRoute = (who: Client, { method }: Route, path: string, body?: unknown, options?: RequestOptions): Promise<Answer> => {
  switch (method) {
    case 'GET':
      return who.get(path, options);
    case 'POST':
      return who.post(path, body, options);
    case 'PATCH':
      return who.patch(path, body, options);
    case 'DELETE':
      return who.delete(path, body === undefined || options?.raw !== undefined ? options : asJson(body, options));
  }
};

const asJson = (body: unknown, options: RequestOptions = {}): RequestOptions => ({
  ...options,
  raw: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...options.headers },
});

export const send = ({ route }: Subject, who: Client, wanted: Wanted, options: RequestOptions = {}): Promise<Answer> => {
  const { path, body, raw, contentType } = wanted;
  const headers = { ...(contentType === undefined ? {} : { 'content-type': contentType }), ...wanted.headers, ...options.headers };
  return askRoute(who, route, path, body, { ...(raw === undefined ? {} : { raw }), ...options, headers });
};

/** A right request of ours, sent as it is or with something changed about it. */
export const sendOurs = async (
  subject: Subject,
  setting: Setting,
  change: (wanted: Wanted) => Wanted = (wanted) => wanted,
): Promise<Answer> => {
  const wanted = change(await subject.known.ask(setting.ours, setting));
  return send(subject, clientOf(setting.ours, wanted), wanted);
};

export const withQuery = (path: string, query: string): string => `${path}${path.includes('?') ? '&' : '?'}${query}`;
export const without = ({ traceId: _trace, ...problem }: Record<string, unknown>) => problem;
export const unless = (holds: boolean, otherwise: string): readonly string[] => (holds ? [] : [otherwise]);

const placesIn = ({ body }: Answer): string[] => body?.errors?.map(({ path }: { path: string }) => path) ?? [];

export const problemFaults = ({ status, headers, body }: Answer): string[] => {
  if (status < 400) return [];
  return [
    ...unless(headers.get('content-type')?.startsWith('application/problem+json') === true, 'it is not a problem document'),
    ...unless(body?.status === status && body?.detail?.length > 0, 'the problem has another status, or no detail'),
    ...unless(/^[0-9a-f]{32}$/.test(body?.traceId ?? ''), 'the problem has no trace id'),
    ...unless(
      !/postgres|kysely|fastify|node_modules|\bsql\b|relation "|schema public/i.test(JSON.stringify(body)),
      'the problem tells of our insides',
    ),
  ];
};

/** One line for each thing that is wrong; none where all is as it should be. */
export const faultsOf = async (subject: Subject, probe: Probe, setting: Setting, compare: Compare): Promise<string[]> => {
  const answer = await probe.ask(setting).catch((error: unknown) => String(error));
  if (typeof answer === 'string') return [`${subject.name}, ${probe.what}: ${answer}`];
  const { status, body, headers } = answer;
  const found = [
    ...unless(status === probe.status, `answered ${status} in place of ${probe.status}: ${JSON.stringify(body)?.slice(0, 300)}`),
    ...unless(probe.code === undefined || body?.code === probe.code, `the code is ${body?.code} and not ${probe.code}`),
    ...unless(
      probe.place === undefined || placesIn(answer).includes(probe.place),
      `the errors are at ${placesIn(answer)}, none at ${probe.place}`,
    ),
    ...unless(headers.get('x-request-id') !== null, 'it has no request id'),
    ...problemFaults(answer),
    ...compare(subject.name, answer),
  ];
  if (status === probe.status) found.push(...((await probe.look?.(answer, setting)) ?? []));
  return found.map((fault) => `${subject.name}, ${probe.what}: ${fault}`);
};
