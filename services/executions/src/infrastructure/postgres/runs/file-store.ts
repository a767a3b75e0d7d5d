/** Uploaded files: chunks of 1 MiB, written as they arrive and visible only when complete. */
import { createHash } from 'node:crypto';
import { newestFirst } from '@settler/chassis/newest-first';
import type { Outbox } from '@settler/chassis/outbox';
import type { Cursors } from '@settler/chassis/pagination';
import type { Postgres } from '@settler/chassis/postgres';
import { Refusal } from '@settler/chassis/refusal';
import { type Selectable, sql } from 'kysely';
import type { FileQueries, FileStore, FileView } from '../../../application/files.ts';
import { auditOf } from '../audit.ts';
import { copiedBytes } from '../copied-bytes.ts';
import { oneAhead } from '../one-ahead.ts';
import type { Database } from '../tables.ts';

const chunkBytes = 1024 * 1024;
const unfinishedKeptHours = 2;

export const createFileStore = (postgres: Postgres<Database>, outbox: Outbox): FileStore => ({
  stage: async (file, bytes) => {
    const { id, organizationId } = file;
    await postgres.organization(organizationId, (trx) =>
      trx
        .insertInto('files')
        .values({ id, organization_id: organizationId, name: file.name, content_type: file.contentType, sha256: null, state: 'uploading' })
        .execute(),
    );
    const hash = createHash('sha256');
    let size = 0;
    let position = 0;
    let storing: Promise<unknown> = Promise.resolve();
    try {
      for await (const chunk of inChunks(bytes)) {
        size += chunk.length;
        if (size > file.bytesMax) throw new Refusal('payload_too_large', `A file may have ${file.bytesMax} bytes.`);
        hash.update(chunk);
        const row = { file_id: id, organization_id: organizationId, position, bytes: chunk };
        await storing;
        // Each chunk is its own short transaction: a slow upload must not hold one open. The next one comes in meanwhile.
        storing = postgres.organization(organizationId, (trx) => trx.insertInto('file_chunks').values(row).execute());
        storing.catch(() => {});
        position += 1;
      }
      await storing;
    } finally {
      // Whoever discards it then discards all of it.
      await Promise.allSettled([storing]);
    }
    return { id, organizationId, size, sha256: hash.digest('hex') };
  },

  publish: (staged, actor) =>
    postgres.organization(staged.organizationId, async (trx) => {
      const row = await trx
        .updateTable('files')
        .set({ state: 'ready', size: staged.size, sha256: staged.sha256 })
        .where('id', '=', staged.id)
        .returningAll()
        .executeTakeFirstOrThrow();
      const { size, sha256 } = staged;
      await outbox.append(trx, [
        auditOf({ action: 'file.uploaded', resource: { type: 'file', id: staged.id }, after: { size, sha256 } }, actor),
      ]);
      return viewOf(row);
    }),

  discard: (staged) =>
    postgres.organization(staged.organizationId, async (trx) => {
      await trx.deleteFrom('files').where('id', '=', staged.id).where('state', '=', 'uploading').execute();
    }),

  remove: (id, actor) =>
    postgres.organization(actor.principal.organizationId, async (trx) => {
      const file = await trx
        .selectFrom('files')
        .select('id')
        .where('id', '=', id)
        .where('state', '=', 'ready')
        .forUpdate()
        .executeTakeFirst();
      if (file === undefined) return false;
      const user = await trx
        .selectFrom('executions')
        .select('id')
        .where('status', 'in', ['queued', 'running'])
        .where(sql<boolean>`file_ids @> array[${id}]::text[]`)
        .limit(1)
        .executeTakeFirst();
      if (user !== undefined) throw new Refusal('conflict', `The execution ${user.id} still needs this file.`);
      await trx.deleteFrom('files').where('id', '=', id).execute();
      await outbox.append(trx, [auditOf({ action: 'file.deleted', resource: { type: 'file', id } }, actor)]);
      return true;
    }),

  open: async (organizationId, id, signal) => {
    const file = await postgres.reading(organizationId, (trx) =>
      trx.selectFrom('files').select('size').where('id', '=', id).where('state', '=', 'ready').executeTakeFirst(),
    );
    if (file === undefined) return undefined;
    return { size: Number(file.size), bytes: oneAhead(chunksOf(postgres, organizationId, id, signal)) };
  },

  sweepUnfinished: async () => {
    await postgres.systemDb
      .deleteFrom('files')
      .where('state', '=', 'uploading')
      .where(sql<boolean>`created_at < now() - make_interval(hours => ${unfinishedKeptHours})`)
      .execute();
  },
});

export const createFileQueries = (postgres: Postgres<Database>, cursors: Cursors): FileQueries => ({
  read: (organizationId, id) =>
    postgres.reading(organizationId, async (trx) => {
      const row = await trx.selectFrom('files').selectAll().where('id', '=', id).where('state', '=', 'ready').executeTakeFirst();
      return row === undefined ? undefined : viewOf(row);
    }),

  list: (organizationId, { limit, cursor }) =>
    postgres.reading(organizationId, async (trx) => {
      const ready = trx.selectFrom('files').selectAll().where('state', '=', 'ready');
      return newestFirst(ready, { cursors, list: `files ${organizationId}`, limit, cursor }, viewOf);
    }),
});

const viewOf = (row: Selectable<Database['files']>): FileView => ({
  id: row.id,
  name: row.name,
  size: Number(row.size),
  sha256: row.sha256 ?? '',
  contentType: row.content_type,
  createdAt: row.created_at.toISOString(),
});

async function* chunksOf(
  { systemPool }: Postgres<Database>,
  organizationId: string,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; ; position += 1) {
    signal.throwIfAborted();
    const chunk = await copiedBytes(
      systemPool,
      (literal) =>
        `select bytes from file_chunks where organization_id = ${literal(organizationId)} and file_id = ${literal(id)} and position = ${position}`,
    );
    if (chunk === undefined) return;
    yield chunk;
  }
}

/** The same bytes in pieces of one size. A piece is the caller's until the next but one is asked for: two pieces of memory serve all. */
async function* inChunks(bytes: AsyncIterable<Uint8Array>): AsyncIterable<Buffer> {
  // Not memory of the heap's: for every few megabytes of that the engine marks the whole heap.
  let filling = Buffer.from(new SharedArrayBuffer(chunkBytes));
  let other = Buffer.from(new SharedArrayBuffer(chunkBytes));
  let length = 0;
  for await (const part of bytes) {
    for (let from = 0; from < part.length; ) {
      const taken = part.subarray(from, from + chunkBytes - length);
      filling.set(taken, length);
      length += taken.length;
      from += taken.length;
      if (length < chunkBytes) continue;
      yield filling;
      [filling, other] = [other, filling];
      length = 0;
    }
  }
  if (length > 0) yield filling.subarray(0, length);
}
