/** A file as the executions service reads it: through the CSV adapter, in columns. */
import { open } from 'node:fs/promises';
import { openReader } from '../../packages/adapters/src/readers.ts';
import type { RecordBatch } from '../../services/executions/src/domain/matching/batch.ts';
import { createBatchBuilder, rowsPerChunk } from '../../services/executions/src/domain/matching/batch-builder.ts';

const fileId = 'fil_01h45ytscbebyvny4gc8cr8ma2';
const fields = { id: 'id', reference: 'reference', amount: 'amount', currency: 'currency', date: 'date', counterparty: 'counterparty' };

/** What a job would say of these files. */
export const csvConfig = { fileId, fields };

/** A tenth of the time less than in blocks of a quarter of it, which is what it costs to ask four times. */
const blockBytes = 1024 * 1024;

/** In one block of memory that is used again: what reads it has copied what it keeps by the time it asks for more. */
export const openPath = (path: string) => async () => {
  const file = await open(path);
  const { size } = await file.stat();
  const block = Buffer.alloc(blockBytes);
  const read = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (;;) {
        const { bytesRead } = await file.read(block, 0, blockBytes);
        if (bytesRead === 0) return;
        yield block.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  };
  return { bytes: read(), size };
};

export const readBatch = async (path: string): Promise<RecordBatch> => {
  const reader = await openReader('csv', csvConfig);
  if (reader.readColumns === undefined) throw new Error('the CSV adapter reads no columns');
  const builder = createBatchBuilder({ idMapped: reader.idMapped });
  const context = { openFile: openPath(path), signal: new AbortController().signal, limits: { rowsPerChunk } };
  for await (const chunk of reader.readColumns(context)) builder.addChunk(chunk);
  return builder.build();
};
