/**
 * Results and exceptions as files, page by page as the client reads: no more than a page is held, and no transaction is open while the
 * client takes its time, which may be an hour: it would keep a connection, and vacuum from every table, for as long. So a match that is made
 * or undone meanwhile can put records where nobody reads any more, or where they are read twice; the revision of the execution tells.
 * Exceptions are in the order in which they were made, which nothing changes. What goes wrong on the way cuts the connection, so that a part
 * never looks like the whole.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { executionId } from '@settler/contracts/ids';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ExceptionView, ExecutionQueries, ResultView } from '../application/queries.ts';
import type { Fields } from '../domain/stake.ts';
import { exceptionFilters } from './exceptions.ts';
import { resultQuery } from './executions.ts';
import type { Table } from './export/cells.ts';
import { csv, jsonLines } from './export/csv.ts';
import { type ExportedException, exceptions } from './export/exceptions.ts';
import { results } from './export/results.ts';
import { workbook } from './export/workbook.ts';

type Pages<Row> = AsyncIterable<readonly Row[]>;

const formats = {
  csv: {
    type: 'text/csv; charset=utf-8; header=present',
    body: <Row>(table: Table<Row>, pages: Pages<Row>): Readable => Readable.from(csv(table, pages), { objectMode: false }),
  },
  jsonl: {
    type: 'application/jsonl; charset=utf-8',
    body: <Row>(_table: Table<Row>, pages: Pages<Row>): Readable => Readable.from(jsonLines(pages), { objectMode: false }),
  },
  xlsx: {
    type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    body: <Row>(table: Table<Row>, pages: Pages<Row>): Readable => workbook(table, pages),
  },
} as const;
type Format = keyof typeof formats;
const formatOf = (whole: string) =>
  z
    .enum(['csv', 'jsonl', 'xlsx'])
    .default('csv')
    .describe(`\`csv\` for programs, \`jsonl\` with ${whole}, \`xlsx\` for people. \`csv\` where it is absent.`);

const pageRows = 500;
/** Writing rows takes a processor's time, which everybody else's requests need too. */
const perOrganizationMax = 4;

export const exportRoutes = (
  endpoint: Endpoints['endpoint'],
  { queries, isStopping }: { readonly queries: ExecutionQueries; readonly isStopping: () => boolean },
): void => {
  const running = new Map<string, number>();
  const within = async (organizationId: string, work: () => Promise<void>): Promise<void> => {
    const before = running.get(organizationId) ?? 0;
    if (before >= perOrganizationMax) {
      throw new Refusal('rate_limited', `This organization has ${perOrganizationMax} exports running; let one end first.`, {
        retryAfterSeconds: 10,
      });
    }
    running.set(organizationId, before + 1);
    try {
      await work();
    } finally {
      const left = (running.get(organizationId) ?? 1) - 1;
      if (left > 0) running.set(organizationId, left);
      else running.delete(organizationId);
    }
  };

  const requireGoing = (): void => {
    if (isStopping()) throw new Error('the service stops');
  };

  endpoint('exportResults', {
    description:
      'A file, streamed as it is read: one row per result, narrowed as the list is. What goes wrong on the way cuts the connection, so that a part never looks like the whole: fetch it again. An execution that has not completed is a `conflict`, one whose results are kept no longer is `gone`; of a dry run the file is empty. An organization has four at once for each process: `rate_limited` beyond.',
    params: z.object({ id: executionId }),
    query: z.strictObject({ ...resultQuery, format: formatOf('whole records and conditions') }),
    answers: { 200: z.string().describe('The file: one row per result, in the order of the list of results.') },
    refuses: [409, 410],
    handle: async ({ params: { id }, principal: { organizationId }, query: { format, ...filter }, reply }) => {
      const found = await queries.read(organizationId, id);
      if (found === undefined) throw notFound('execution');
      const page = async (after: number, revision?: bigint) => {
        requireGoing();
        return queries.resultsAfter(organizationId, id, filter, { after, limit: pageRows, revision });
      };
      await within(organizationId, async () => {
        // Read before the answer begins, so that what fails at once is a refusal like any other.
        const pages = resultPages(await page(-1), page);
        const name = ['settler', id, filter.outcome].filter((part) => part !== undefined).join('-');
        await send(reply, { name, format }, formats[format].body(results, pages));
      });
      return { status: 200 };
    },
  });

  endpoint('exportExceptions', {
    description:
      'A file, streamed as it is read: one row per exception, narrowed and ordered as the list is. One that begins or ceases to be what is asked for while the file is read may be in it or not; every other one is in it once. What goes wrong on the way cuts the connection, so that a part never looks like the whole: fetch it again. An organization has four exports at once for each process: `rate_limited` beyond.',
    query: z.strictObject({ ...exceptionFilters, format: formatOf('whole records') }),
    answers: { 200: z.string().describe('The file: one row per exception, newest first.') },
    handle: async ({ principal: { organizationId }, query: { format, ...filter }, reply }) => {
      const page = async (cursor?: string) => {
        requireGoing();
        return queries.exceptions(organizationId, { ...filter, limit: pageRows, cursor });
      };
      await within(organizationId, async () => {
        const pages = exceptionPages(await page(), page);
        const name = `settler-exceptions-${new Date().toISOString().slice(0, 10)}`;
        await send(reply, { name, format }, formats[format].body(exceptions, pages));
      });
      return { status: 200 };
    },
  });
};

type ResultPage = Awaited<ReturnType<ExecutionQueries['resultsAfter']>>;

const resultPages = async function* (
  first: ResultPage,
  read: (after: number, revision: bigint) => Promise<ResultPage>,
): AsyncGenerator<readonly ResultView[]> {
  for (let { results, last } = first; ; { results, last } = await read(last, first.revision)) {
    if (results.length > 0) yield results;
    if (results.length < pageRows || last === undefined) return;
  }
};

type ExceptionPage = Awaited<ReturnType<ExecutionQueries['exceptions']>>;

const exceptionPages = async function* (
  first: ExceptionPage,
  read: (cursor: string) => Promise<ExceptionPage>,
): AsyncGenerator<readonly ExportedException[]> {
  for (let { data, nextCursor } = first; ; { data, nextCursor } = await read(nextCursor)) {
    if (data.length > 0) yield data.map(withRecords);
    if (nextCursor === null) return;
  }
};

const withRecords = (exception: ExceptionView): ExportedException => ({
  ...exception,
  records: exception.records.toJSON() as readonly Fields[],
});

const send = async (reply: FastifyReply, { name, format }: { name: string; format: Format }, body: Readable): Promise<void> => {
  reply.hijack();
  const { raw, request } = reply;
  raw.writeHead(200, {
    'content-type': formats[format].type,
    'content-disposition': `attachment; filename="${name}.${format}"`,
    'cache-control': 'no-store',
    'x-request-id': request.id,
  });
  try {
    await pipeline(body, raw);
  } catch (error) {
    // The pipeline has cut the connection. A client that went away did so itself.
    const isClientGone = (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE';
    if (isClientGone) request.log.info('the client left an export');
    else if (error instanceof Refusal) request.log.info({ reason: error.message }, 'an export was cut');
    else request.log.error({ err: error }, 'an export was cut');
  }
};
