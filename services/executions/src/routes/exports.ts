/**
 * The results of an execution as a file, page by page as the client reads: no more than a page is held, and no transaction is open
 * while the client takes its time, which may be an hour: it would keep a connection, and vacuum from every table, for as long. So a match
 * that is made or undone meanwhile can put records where nobody reads any more, or where they are read twice; the revision of the
 * execution tells. What goes wrong on the way, this included, cuts the connection, so that a part never looks like the whole.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Endpoints } from '@settler/chassis/endpoint';
import { notFound, Refusal } from '@settler/chassis/refusal';
import { executionId } from '@settler/contracts/ids';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import type { ExecutionQueries, ResultView } from '../application/queries.ts';
import { resultQuery } from './executions.ts';
import { csv, jsonLines } from './export/csv.ts';
import { workbook } from './export/workbook.ts';

type Pages = AsyncIterable<readonly ResultView[]>;

const formats = {
  csv: {
    type: 'text/csv; charset=utf-8; header=present',
    body: (pages: Pages): Readable => Readable.from(csv(pages), { objectMode: false }),
  },
  jsonl: {
    type: 'application/jsonl; charset=utf-8',
    body: (pages: Pages): Readable => Readable.from(jsonLines(pages), { objectMode: false }),
  },
  xlsx: { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', body: (pages: Pages): Readable => workbook(pages) },
} as const;

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

  endpoint('exportResults', {
    description:
      'A file, streamed as it is read: one row per result, narrowed as the list is. What goes wrong on the way cuts the connection, so that a part never looks like the whole: fetch it again. An execution that has not completed is a `conflict`, one whose results are kept no longer is `gone`; of a dry run the file is empty. An organization has four at once for each process: `rate_limited` beyond.',
    params: z.object({ id: executionId }),
    query: z.strictObject({
      ...resultQuery,
      format: z
        .enum(['csv', 'jsonl', 'xlsx'])
        .default('csv')
        .describe('`csv` for programs, `jsonl` with whole records and conditions, `xlsx` for people. `csv` where it is absent.'),
    }),
    answers: { 200: z.string().describe('The file: one row per result, in the order of the list of results.') },
    refuses: [409, 410],
    handle: async ({ params: { id }, principal: { organizationId }, query: { format, ...filter }, reply }) => {
      const found = await queries.read(organizationId, id);
      if (found === undefined) throw notFound('execution');
      const page = async (after: number, revision?: bigint) => {
        if (isStopping()) throw new Error('the service stops');
        return queries.resultsAfter(organizationId, id, filter, { after, limit: pageRows, revision });
      };
      await within(organizationId, async () => {
        // Read before the answer begins, so that what fails at once is a refusal like any other.
        const first = await page(-1);
        const { type, body } = formats[format];
        const name = ['settler', id, filter.outcome].filter((part) => part !== undefined).join('-');
        const headers = {
          'content-type': type,
          'content-disposition': `attachment; filename="${name}.${format}"`,
          'cache-control': 'no-store',
        };
        await send(reply, headers, body(pagesFrom(first, page)));
      });
      return { status: 200 };
    },
  });
};

type Page = Awaited<ReturnType<ExecutionQueries['resultsAfter']>>;

const pagesFrom = async function* (
  first: Page,
  read: (after: number, revision: bigint) => Promise<Page>,
): AsyncGenerator<readonly ResultView[]> {
  for (let { results, last } = first; ; { results, last } = await read(last, first.revision)) {
    if (results.length > 0) yield results;
    if (results.length < pageRows || last === undefined) return;
  }
};

const send = async (reply: FastifyReply, headers: Record<string, string>, body: Readable): Promise<void> => {
  reply.hijack();
  const { raw, request } = reply;
  raw.writeHead(200, { ...headers, 'x-request-id': request.id });
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
