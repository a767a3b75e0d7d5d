/** What every route answers when something is wrong that has nothing to do with the request. Each is asked in a system in that trouble. */
import { client } from '@settler/harness';
import type { Setting } from './case.ts';
import { clientOf, type Probe, type Subject, send, unless } from './probe.ts';

/** Nothing has to be there: what is asked for is not looked at. */
const somewhere = ({ route }: Subject): string =>
  route.path.replaceAll(/\{(\w+)\}/g, (_whole, name) => (name === 'id' ? 'job_01jqv8m0c4e7r9t2w5y8a1b3d6' : '1'));

const saysWhen: Probe['look'] = ({ headers }) => unless(Number(headers.get('retry-after')) > 0, 'it does not say when to ask again');

const asTheOneWhoMay = ({ route }: Subject, { ours }: Setting) => {
  if (route.access === 'public') return ours.anonymous;
  return route.access === 'user' ? ours.user : ours.key;
};

/** At a gateway that lets nobody ask twice, once everybody has asked. */
export const limited = (subject: Subject, gatewayUrl: string): Probe => ({
  what: 'once too often',
  status: 429,
  code: 'rate_limited',
  ask: ({ ours }) => {
    const { access } = subject.route;
    const credentials = access === 'user' ? { token: ours.accessToken } : { apiKey: ours.apiKey };
    return send(subject, client(gatewayUrl, access === 'public' ? {} : credentials), { path: somewhere(subject) });
  },
  look: (answer, setting) => [
    ...((saysWhen?.(answer, setting) ?? []) as readonly string[]),
    ...unless(answer.headers.get('ratelimit-policy') !== null, 'it does not say what the limit is'),
  ],
});

/** While the service is not there. */
export const away = (subject: Subject): Probe => ({
  what: 'while its service is away',
  status: 503,
  code: 'upstream_unavailable',
  ask: (setting) => send(subject, asTheOneWhoMay(subject, setting), { path: somewhere(subject) }),
  look: saysWhen,
});

/** While the database refuses the service what it has to have: a fault of ours, which tells nobody what it is. */
export const broken = async (subject: Subject, setting: Setting): Promise<Probe> => {
  const wanted = await subject.known.ask(setting.ours, setting);
  return {
    what: 'while its database is broken',
    ...(subject.known.isFromMemory ? { status: subject.known.status } : { status: 500, code: 'internal' }),
    ask: ({ ours }) => send(subject, clientOf(ours, wanted), wanted),
  };
};
