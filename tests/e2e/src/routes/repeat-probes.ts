/** Asking again: under one Idempotency-Key, and from a state that is gone. */
import type { Answer } from '@settler/harness';
import type { Setting, Wanted } from './case.ts';
import { isDeclared } from './descriptions.ts';
import { clientOf, type Probe, type Subject, send, sendOurs, unless } from './probe.ts';

export const repeatProbes = (subject: Subject): readonly Probe[] => [
  ...(subject.route.idempotent ? keyProbes(subject) : []),
  // Whether a route compares tags is its service's to say: every PATCH and DELETE does, and some others.
  ...(isDeclared(subject.operation, 412) ? tagProbes(subject) : []),
];

const keyOf = (subject: Subject, what: string): string => `${subject.name} ${what}`;
const under = (subject: Subject, { ours }: Setting, wanted: Wanted, key: string): Promise<Answer> =>
  send(subject, clientOf(ours, wanted), wanted, { headers: { 'idempotency-key': key } });

const keyProbes = (subject: Subject): readonly Probe[] => {
  const { known, route } = subject;
  const badKey = (what: string, key: string): Probe => ({
    what,
    status: 400,
    code: 'validation_failed',
    place: 'Idempotency-Key',
    ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, headers: { 'idempotency-key': key } })),
  });
  let asked: Wanted;
  let first: Answer;
  const key = keyOf(subject, 'the same');
  return [
    badKey('with a key that is too long', 'x'.repeat(256)),
    badKey('with a key that is empty', '""'),
    badKey('with a key that is not ASCII', 'schl\u00fcssel'),
    {
      what: 'under a key, and once more under the same',
      status: known.status,
      ask: async (setting) => {
        asked = await known.ask(setting.ours, setting);
        first = await under(subject, setting, asked, key);
        return first;
      },
      look: async ({ body }, setting) => {
        const again = await under(subject, setting, asked, `"${key}"`);
        const shown = body && Object.fromEntries(Object.entries(body).filter(([field]) => !route.secretFields.includes(field)));
        return [
          ...unless(again.status === known.status, `the second answer is ${again.status}: ${JSON.stringify(again.body)}`),
          ...unless(again.headers.get('idempotent-replayed') === 'true', 'the second answer does not say that it is one'),
          ...unless(JSON.stringify(again.body) === JSON.stringify(shown), 'the second answer is another one'),
        ];
      },
    },
    ...(known.otherBody === undefined && asksWithoutBody(subject) ? [] : [reusedKey(subject, () => asked, key)]),
    inFlight(subject),
  ];
};

/** Such a route has no other body that a key could be used with again. */
const asksWithoutBody = ({ operation, route }: Subject): boolean => operation.requestBody === undefined && route.stream !== 'upload';

const reusedKey = (subject: Subject, asked: () => Wanted, key: string): Probe => ({
  what: 'under the same key with another body',
  status: 422,
  code: 'idempotency_key_reused',
  ask: (setting) => {
    const { raw, body, ...wanted } = asked();
    const other = raw === undefined ? { body: subject.known.otherBody?.(body as object) } : { raw: `${raw}2\n` };
    return under(subject, setting, { ...wanted, ...other }, key);
  },
});

/**
 * While the first is being worked on. Its lock is held here, in place of a request that takes long; what it is of is told by the
 * record of a request that was just like it.
 */
const inFlight = (subject: Subject): Probe => ({
  what: 'while the same is being worked on',
  status: 409,
  code: 'idempotency_in_flight',
  ask: async (setting) => {
    const { known, route } = subject;
    const [earlier, later] = [keyOf(subject, 'earlier'), keyOf(subject, 'at once')];
    const wanted = await known.ask(setting.ours, setting);
    await under(subject, setting, wanted, earlier);
    const [record] = await setting.databases.rows(route.service, 'select organization_id, scope from idempotency_keys where key = $1', [
      earlier,
    ]);
    if (record === undefined) throw new Error('the request left no record of its key');
    return setting.databases.as(route.service, 'admin', async (database) => {
      await database.query('select pg_advisory_lock(hashtextextended($1, 0))', [`${record.organization_id}\n${record.scope}\n${later}`]);
      return under(subject, setting, wanted, later);
    });
  },
  look: ({ headers }) => unless(Number(headers.get('retry-after')) > 0, 'it does not say when to ask again'),
});

const tagProbes = (subject: Subject): readonly Probe[] => {
  const tagged = (tag: string) => (setting: Setting) =>
    sendOurs(subject, setting, (wanted) => ({ ...wanted, headers: { 'if-match': tag } }));
  return [
    { what: 'with the tag of a state that is gone', status: 412, code: 'version_conflict', ask: tagged('"999999"') },
    { what: 'with a tag that is none', status: 400, code: 'validation_failed', place: 'If-Match', ask: tagged('nonsense') },
    { what: 'with a tag that matches everything', status: subject.known.status, ask: tagged('*') },
  ];
};
