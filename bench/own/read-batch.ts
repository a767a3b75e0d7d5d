/** A file as the executions service reads it: through the CSV adapter, in columns. */
import { createReadStream, statSync } from 'node:fs';
import { openReader } from '../../packages/adapters/src/readers.ts';
import type { RecordBatch } from '../../services/executions/src/domain/matching/batch.ts';
import { createBatchBuilder } from '../../services/executions/src/domain/matching/batch-builder.ts';

const fileId = 'fil_01h45ytscbebyvny4gc8cr8ma2';
const fields = { id: 'id', reference: 'reference', amount: 'amount', currency: 'currency', date: 'date', counterparty: 'counterparty' };

/** What a job would say of these files. */
export const csvConfig = { fileId, fields };

export const openPath = (path: string) => async () => ({
  bytes: createReadStream(path, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Uint8Array>,
  size: statSync(path).size,
});

export const readBatch = async (path: string): Promise<RecordBatch> => {
  const reader = await openReader('csv', csvConfig);
  if (reader.readColumns === undefined) throw new Error('the CSV adapter reads no columns');
  const builder = createBatchBuilder({ idMapped: reader.idMapped });
  const context = { openFile: openPath(path), signal: new AbortController().signal };
  for await (const chunk of reader.readColumns(context)) builder.addChunk(chunk);
  return builder.build();
};
