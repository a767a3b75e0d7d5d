/** Uploads are streamed: neither the gateway nor this service ever holds a whole file. */
import type { Readable } from 'node:stream';
import multipart, { type MultipartFile } from '@fastify/multipart';
import type { Answer } from '@settler/chassis/answer';
import type { Endpoints } from '@settler/chassis/endpoint';
import { requireRevision, resource } from '@settler/chassis/entity-tag';
import { sendProblem } from '@settler/chassis/http';
import { fingerprintOf, type Idempotency } from '@settler/chassis/idempotency';
import { readIdempotencyKey } from '@settler/chassis/idempotency-key';
import { unstorable } from '@settler/chassis/json';
import { pageOf, pageQuery } from '@settler/chassis/pagination';
import { invalid, notFound, Refusal } from '@settler/chassis/refusal';
import { fileId } from '@settler/contracts/ids';
import { routes } from '@settler/contracts/routes';
import { instant } from '@settler/contracts/time';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { FileQueries, FileStore } from '../application/files.ts';
import type { Actor } from '../application/ports.ts';
import { uploadedFile } from './examples.ts';

interface Needs {
  readonly app: FastifyInstance;
  readonly files: FileStore;
  readonly queries: FileQueries;
  readonly idempotency: Idempotency;
  readonly newId: () => string;
}

const fileAnswer = z
  .object({
    id: fileId,
    name: z.string().describe('For people.'),
    size: z.number().int().describe('Bytes.'),
    sha256: z.string().describe('Of the bytes, in hexadecimal digits.'),
    contentType: z.string().describe('As it was sent. Adapters look at the bytes, and not at this.'),
    createdAt: instant,
  })
  .meta({ id: 'File' });
const fileName = z.string().trim().min(1).max(200);
const byId = z.object({ id: fileId });
const bytesMax = routes.uploadFile.bodyBytesMax;

export const fileRoutes = async (endpoint: Endpoints['endpoint'], { app, files, queries, idempotency, newId }: Needs): Promise<void> => {
  const upload = async (request: FastifyRequest, actor: Actor, wantedName: string | undefined): Promise<Answer> => {
    const key = readIdempotencyKey(request);
    const part = await partOf(request);
    const name = wantedName ?? part.name ?? 'upload';
    const { organizationId } = actor.principal;
    const staged = { id: newId(), organizationId };
    try {
      const stored = await files.stage({ ...staged, name, contentType: part.contentType, bytesMax }, part.bytes);
      const publish = async (): Promise<Answer> => {
        const view = await files.publish(stored, actor);
        return resource(201, view, 1, { location: `/v1/files/${view.id}` });
      };
      if (key === undefined) return await publish();
      // Hashed while it streamed: only now is it known whether this is the same request again.
      const scope = `POST ${request.url}`;
      const fingerprint = fingerprintOf(`${stored.sha256} ${name} ${part.contentType}`);
      const { answer, replayed } = await idempotency.run(
        { organizationId, scope, key, fingerprint, secretFields: [] },
        { effect: publish },
      );
      if (!replayed) return answer;
      await files.discard(staged);
      return { ...answer, headers: { ...answer.headers, 'idempotent-replayed': 'true' } };
    } catch (error) {
      await files.discard(staged).catch(() => {}); // The sweep removes what is left; the caller is told the first error.
      throw error;
    }
  };

  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    await scope.register(multipart, { limits: { files: 1, fields: 10, fileSize: bytesMax } });
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    // Every type is taken, so what is refused is none at all.
    scope.setErrorHandler((error, request, reply) => sendProblem(isNoMediaType(error) ? noMediaType() : error, request, reply));
    endpoint(
      'uploadFile',
      {
        description:
          'Up to 1 GiB, streamed: the bytes as the body, with any Content-Type and without Content-Encoding, or a form (`multipart/form-data`) with one file. A job or a run names it by its id. A file never changes; the same `Idempotency-Key` with the same bytes, name and type gives the first file again.',
        query: z.strictObject({
          name: fileName.optional().describe('What people call it. Where it is absent: the name in the form, or else `upload`.'),
        }),
        answers: { 201: fileAnswer },
        examples: { answers: { 201: uploadedFile } },
        handle: ({ request, principal, address, query }) => upload(request, { principal, address }, query.name),
      },
      scope,
    );
  });

  endpoint('listFiles', {
    description: 'Newest first. Of each what is known of it; the bytes themselves are not given out.',
    query: z.strictObject(pageQuery),
    answers: { 200: pageOf(fileAnswer) },
    handle: async ({ principal, query }) => ({ status: 200, body: await queries.list(principal.organizationId, query) }),
  });

  endpoint('readFile', {
    description: 'Its name, size and digest; the bytes themselves are not given out.',
    params: byId,
    answers: { 200: fileAnswer },
    examples: { answers: { 200: uploadedFile } },
    handle: async ({ params, principal }) => {
      const view = await queries.read(principal.organizationId, params.id);
      if (view === undefined) throw notFound('file');
      return resource(200, view, 1);
    },
  });

  endpoint('deleteFile', {
    description:
      'For good. Results that were made of it stay. `conflict` while an execution that is not over needs it; a job that names it can be run by hand no more (`validation_failed`), and its scheduled runs fail with `no_such_file`.',
    refuses: [409],
    params: byId,
    answers: { 204: null },
    handle: async ({ params, ifMatch, principal, address }) => {
      // A file never changes, so there is one revision of it.
      requireRevision(ifMatch, 1);
      if (!(await files.remove(params.id, { principal, address }))) throw notFound('file');
      return { status: 204 };
    },
  });
};

const isNoMediaType = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE';
const noMediaType = () => new Refusal('unsupported_media_type', 'The Content-Type is no media type such as text/csv.');

/** What is not a form, breaks off, or has more than is taken. */
const asRefusal = (error: unknown): never => {
  if (error instanceof Error && 'code' in error && error.code === 'FST_FILES_LIMIT')
    throw invalid([{ path: 'file', message: 'the form has more than one: upload each by itself' }]);
  const isMalformed = error instanceof Error && /^(Multipart: Boundary|Unexpected end of|Malformed )/.test(error.message);
  throw isMalformed ? new Refusal('malformed_request', `The form cannot be read: ${error.message}.`, { cause: error }) : error;
};

/** The bytes end where the form does: what stands behind the file is known before that is kept. */
async function* wholeForm({ file }: MultipartFile, parts: AsyncIterator<MultipartFile>): AsyncIterable<Uint8Array> {
  try {
    yield* file;
    await parts.next();
  } catch (error) {
    asRefusal(error);
  }
}

/** The one file of the request: its whole body, or the one part of a form. */
const partOf = async (request: FastifyRequest): Promise<{ bytes: AsyncIterable<Uint8Array>; contentType: string; name?: string }> => {
  if (request.isMultipart()) {
    const parts = request.files();
    const { value: part, done } = await parts.next().catch(asRefusal);
    if (done === true) throw invalid([{ path: 'file', message: 'the form has no file' }]);
    const { error, data: name } = fileName.safeParse(part.filename);
    const fault = error?.issues[0]?.message ?? unstorable(part.filename);
    if (fault !== undefined) throw invalid([{ path: 'filename', message: fault }]);
    return { bytes: wholeForm(part, parts), contentType: part.mimetype.slice(0, 200), ...(name === undefined ? {} : { name }) };
  }
  const body = request.body as Readable | undefined | null;
  if (body === undefined || body === null)
    throw invalid([{ path: '', message: 'a body is required: the file itself, or a form with one' }]);
  return { bytes: body, contentType: request.headers['content-type'] ?? 'application/octet-stream' };
};
