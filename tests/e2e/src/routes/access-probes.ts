/** Who may ask, for what, and of whom: what follows from the contract's table alone. */
import type { Scope } from '@settler/contracts/scopes';
import type { Answer } from '@settler/harness';
import type { Setting, Wanted } from './case.ts';
import { isDeclared, isList } from './descriptions.ts';
import { clientOf, type Probe, type Subject, send, sendOurs, unless, without, withQuery } from './probe.ts';

const idPattern = /\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b/g;
/** The same with ids that nobody has. */
const unknown = (path: string): string => path.replaceAll(idPattern, '$1_01jqv8m0c4e7r9t2w5y8a1b3d6');

export const accessProbes = (subject: Subject): readonly Probe[] => [
  rightlyAsked(subject),
  ...(isDeclared(subject.operation, 304) ? [knownAlready(subject)] : []),
  ...credentialProbes(subject),
  ...permissionProbes(subject),
  ...(/\{(id|userId)\}/.test(subject.route.path) ? idProbes(subject) : []),
  strangeParameter(subject),
  ...(isList(subject.operation) ? listProbes(subject) : []),
  otherMethod(subject),
];

const rightlyAsked = (subject: Subject): Probe => ({
  what: 'rightly asked',
  status: subject.known.status,
  ask: (setting) => sendOurs(subject, setting),
  look: ({ body }) => unless(!isList(subject.operation) || Array.isArray(body.data), 'a list has no data'),
});

const timesMax = 10;

/** Something may be added to a list in between, so it is asked for until nothing was. */
const knownAlready = (subject: Subject): Probe => ({
  what: 'known already',
  status: 304,
  ask: async (setting) => {
    const wanted = await subject.known.ask(setting.ours, setting);
    let answer = await send(subject, clientOf(setting.ours, wanted), wanted);
    for (let times = 0; times < timesMax && answer.status === 200; times += 1) {
      const tag = answer.headers.get('etag') ?? 'none';
      answer = await send(subject, clientOf(setting.ours, wanted), wanted, { headers: { 'if-none-match': tag } });
    }
    return answer;
  },
  look: ({ headers }) => unless(/^"[^"]+"$/.test(headers.get('etag') ?? ''), 'it has no tag'),
});

const isChallenged = ({ headers }: Answer): readonly string[] =>
  unless(headers.get('www-authenticate')?.includes('Bearer') === true, 'it does not say how to authenticate');

const credentialProbes = (subject: Subject): readonly Probe[] => {
  const { route, known } = subject;
  if (route.access === 'public') return [];
  const refused = { status: 401, code: 'unauthenticated', look: isChallenged } as const;
  const authorized = (authorization: string) => async (setting: Setting) => {
    const wanted = await known.ask(setting.ours, setting);
    return send(subject, setting.ours.anonymous, { ...wanted, headers: { authorization } });
  };
  return [
    {
      what: 'without credentials',
      ...refused,
      ask: async (setting) => send(subject, setting.ours.anonymous, await known.ask(setting.ours, setting)),
    },
    { what: 'with a key that never was', ...refused, ask: authorized(`Bearer stl_live_${'a'.repeat(62)}`) },
    { what: 'with a token that nobody signed', ...refused, ask: authorized('Bearer e30.e30.e30') },
    {
      what: 'with two different credentials',
      ...refused,
      ask: (setting) =>
        sendOurs(subject, setting, (wanted) => ({
          ...wanted,
          headers: { authorization: 'Bearer e30.e30.e30', 'x-api-key': setting.ours.apiKey },
        })),
    },
  ];
};

const permissionProbes = (subject: Subject): readonly Probe[] => {
  const { route, known } = subject;
  if (route.access === 'public') return [];
  const refused = { status: 403, code: 'forbidden' } as const;
  const elsewhere: Probe = {
    what: 'with a key that is for another address',
    ...refused,
    ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, as: 'elsewhere' })),
  };
  if (route.access === 'any') return [elsewhere];
  if (route.access === 'user') {
    const withKey: Probe = {
      what: 'with a key, where only users may',
      ...refused,
      ask: async (setting) => send(subject, setting.ours.key, await known.ask(setting.ours, setting)),
    };
    return [elsewhere, withKey];
  }
  const access: Scope = route.access;
  return [
    elsewhere,
    {
      what: 'with a key that may do everything else',
      ...refused,
      ask: async (setting) => send(subject, await setting.ours.without(access), await known.ask(setting.ours, setting)),
      look: ({ body }) => unless(body.requiredScope === access, `it asks for the scope ${body.requiredScope}`),
    },
  ];
};

const idProbes = (subject: Subject): readonly Probe[] => {
  const gone = { status: 404, code: 'not_found' } as const;
  let foreign: Wanted;
  return [
    {
      what: "with another organization's id",
      ...gone,
      ask: async (setting) => {
        foreign = await subject.known.ask(setting.theirs, setting);
        return send(subject, clientOf(setting.ours, foreign), foreign);
      },
      look: async ({ body }, { ours }) => {
        const nobodys = await send(subject, clientOf(ours, foreign), { ...foreign, path: unknown(foreign.path) });
        const looksTheSame = nobodys.status === 404 && JSON.stringify(without(nobodys.body)) === JSON.stringify(without(body));
        return unless(looksTheSame, `an id that nobody has looks different: ${JSON.stringify(nobodys.body)}`);
      },
    },
    {
      what: 'with an id that is none',
      ...gone,
      ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, path: wanted.path.replace(idPattern, 'nonsense') })),
    },
    {
      what: 'with an id of something else',
      ...gone,
      ask: (setting) =>
        sendOurs(subject, setting, (wanted) => ({ ...wanted, path: wanted.path.replace(idPattern, 'org_01jqv8m0c4e7r9t2w5y8a1b3d6') })),
    },
  ];
};

const strangeParameter = (subject: Subject): Probe => ({
  what: 'with a parameter that it does not know',
  status: 400,
  code: 'validation_failed',
  place: 'nonsense',
  ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, path: withQuery(wanted.path, 'nonsense=1') })),
});

const listProbes = (subject: Subject): readonly Probe[] => {
  const refused = (what: string, query: string, place: string): Probe => ({
    what,
    status: 400,
    code: 'validation_failed',
    place,
    ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, path: withQuery(wanted.path, query) })),
  });
  return [
    refused('with a limit of nothing', 'limit=0', 'limit'),
    refused('with a limit beyond the limit', 'limit=201', 'limit'),
    refused('with a limit in words', 'limit=many', 'limit'),
    refused('with two limits', 'limit=1&limit=2', 'limit'),
    refused('with a cursor that is made up', 'cursor=made-up.cursor', 'cursor'),
    refused('with a cursor that is empty', 'cursor=', 'cursor'),
    {
      what: 'page by page',
      status: 200,
      ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, path: withQuery(wanted.path, 'limit=1') })),
      look: async ({ body: { data, nextCursor } }, setting) => {
        if (nextCursor === null) return unless(data.length < 2, 'a page of one has more');
        const at = (cursor: string) =>
          sendOurs(subject, setting, (wanted) => ({ ...wanted, path: withQuery(wanted.path, `limit=1&cursor=${cursor}`) }));
        const next = await at(nextCursor);
        const bent = await at(`${nextCursor.slice(0, -1)}${nextCursor.endsWith('A') ? 'B' : 'A'}`);
        return [
          ...unless(next.status === 200 && JSON.stringify(next.body.data) !== JSON.stringify(data), 'the next page is the same'),
          ...unless(bent.status === 400, `a cursor that was tampered with answered ${bent.status}`),
        ];
      },
    },
  ];
};

const otherMethod = ({ route, known }: Subject): Probe => ({
  what: 'with a method that it does not have',
  status: 405,
  code: 'method_not_allowed',
  ask: async (setting) => setting.ours.key.put((await known.ask(setting.ours, setting)).path, {}),
  look: ({ headers }) =>
    unless(headers.get('allow')?.split(', ').includes(route.method) === true, 'it does not say which methods there are'),
});
