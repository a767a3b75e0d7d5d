/** Bodies that are none, that are not what the route takes, or that are too much of it. */
import { request } from 'node:http';
import type { Answer } from '@settler/harness';
import type { Setting } from './case.ts';
import { needsBody, takesBody } from './descriptions.ts';
import { clientOf, type Probe, type Subject, send, sendOurs } from './probe.ts';

const mebibyte = 1024 * 1024;

export const bodyProbes = (subject: Subject): readonly Probe[] => {
  const { route, operation } = subject;
  if (route.method === 'GET') return [];
  if (route.stream === 'upload') return [packed(subject), announcedTooLarge(subject)];
  return [
    packed(subject),
    ...(takesBody(operation) ? jsonProbes(subject) : [unwanted(subject)]),
    raw(subject, 'with a form', 'name=one', 415, 'unsupported_media_type', 'application/x-www-form-urlencoded'),
    raw(subject, 'with a text', 'hello', 415, 'unsupported_media_type', 'text/plain'),
    raw(subject, 'with JSON that ends too early', '{"name":', 400, 'malformed_request'),
    announcedTooLarge(subject),
    ...(route.bodyBytesMax <= mebibyte ? [streamedTooLarge(subject)] : []),
  ];
};

const packed = (subject: Subject): Probe => ({
  what: 'with a body that is packed',
  status: 415,
  code: 'unsupported_media_type',
  ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, headers: { 'content-encoding': 'gzip' } })),
});

const raw = (
  subject: Subject,
  what: string,
  text: string | Uint8Array<ArrayBuffer>,
  status: number,
  code: string,
  contentType = 'application/json',
  place?: string,
): Probe => ({
  what,
  status,
  code,
  ...(place === undefined ? {} : { place }),
  ask: (setting) => sendOurs(subject, setting, ({ path, as }) => ({ path, raw: text, contentType, ...(as === undefined ? {} : { as }) })),
});

const unwanted = (subject: Subject): Probe =>
  raw(subject, 'with a body, where there is nothing to say', '{"nonsense":1}', 400, 'validation_failed', 'application/json', '');

const jsonProbes = (subject: Subject): readonly Probe[] => [
  raw(subject, 'with a body that is no object', '[]', 400, 'validation_failed', 'application/json', ''),
  raw(subject, 'with a body that is nothing', 'null', 400, 'validation_failed', 'application/json', ''),
  raw(subject, 'with a field called __proto__', '{"a":{"__proto__":1}}', 400, 'malformed_request'),
  raw(subject, 'with a body nested eighty levels deep', `${'['.repeat(80)}${']'.repeat(80)}`, 400, 'malformed_request'),
  raw(subject, 'with a body that is not UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 400, 'malformed_request'),
  ...(needsBody(subject.operation) ? [withoutBody(subject)] : []),
  {
    what: 'with a field that it does not know',
    status: 400,
    code: 'validation_failed',
    place: 'nonsense',
    ask: (setting) => sendOurs(subject, setting, (wanted) => ({ ...wanted, body: { ...(wanted.body as object), nonsense: 1 } })),
  },
];

const withoutBody = (subject: Subject): Probe => ({
  what: 'without a body',
  status: 400,
  code: 'validation_failed',
  place: '',
  ask: (setting) => sendOurs(subject, setting, ({ path, as }) => ({ path, ...(as === undefined ? {} : { as }) })),
});

const tooLarge = { status: 413, code: 'payload_too_large' } as const;

/** Nobody has to send all of it to be told. */
const announcedTooLarge = (subject: Subject): Probe => ({
  what: 'with a body that is announced to be too large',
  ...tooLarge,
  ask: async (setting) => {
    const { path } = await subject.known.ask(setting.ours, setting);
    return announce(setting, subject.route, path, subject.route.bodyBytesMax + 1);
  },
});

const announce = ({ url, ours }: Setting, { method, access }: Subject['route'], path: string, length: number): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const credentials = access === 'user' ? { authorization: `Bearer ${ours.accessToken}` } : { 'x-api-key': ours.apiKey };
    const headers = { ...credentials, 'content-type': 'application/json', 'content-length': length };
    const asked = request(url + path, { method, headers });
    asked.once('error', reject);
    asked.once('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.once('end', () => {
        asked.destroy();
        const answered = new Headers(Object.entries(response.headers).map(([name, value]) => [name, String(value)]));
        resolve({ status: response.statusCode ?? 0, headers: answered, body: JSON.parse(Buffer.concat(parts).toString()) });
      });
    });
    asked.flushHeaders();
  });

/** In chunks, whose sum nobody knows before it was too much. */
const streamedTooLarge = (subject: Subject): Probe => ({
  what: 'with a body that turns out to be too large',
  ...tooLarge,
  ask: async (setting) => {
    const piece = new Uint8Array(64 * 1024).fill(32);
    let left = Math.ceil(subject.route.bodyBytesMax / piece.length) + 1;
    const pieces = () =>
      new ReadableStream<Uint8Array>({
        pull: (controller) => {
          left -= 1;
          if (left < 0) controller.close();
          else controller.enqueue(piece);
        },
      });
    const wanted = await subject.known.ask(setting.ours, setting);
    const options = { raw: pieces(), headers: { 'content-type': 'application/json' } };
    return send(subject, clientOf(setting.ours, wanted), { path: wanted.path }, options);
  },
});
