/** Inline records as rows. They have no lines, and are in memory already; only the chunks are bounded. */
import { defaultLimits, type Read, ReaderFailure, type ReadRow } from '../reader.ts';
import { idMapped, type RecordsConfig } from './definition.ts';
import { recordReader } from './record.ts';

export const read: Read<RecordsConfig> = async function* (config, { signal, limits }) {
  const { rowsPerChunk } = { ...defaultLimits, ...limits };
  const { records, fields = {} } = config;
  if (records === undefined) throw new ReaderFailure('no_input', 'neither the job nor the run names an input: give records');
  const readRecord = recordReader(fields, idMapped(config));
  let bytesRead = 0;
  for (let from = 0; from < records.length; from += rowsPerChunk) {
    signal.throwIfAborted();
    const part = records.slice(from, from + rowsPerChunk);
    bytesRead += Buffer.byteLength(JSON.stringify(part));
    yield {
      bytesRead,
      rows: part.map((source): ReadRow => {
        const { record, fault } = readRecord(source);
        if (fault === undefined) return { record };
        const { field, reason } = fault;
        // The schema has refused these already; a stored configuration from before a rule became stricter may still hold one.
        return { invalid: field === undefined ? { reason } : { field, reason: `${field} ${reason}` }, partial: record };
      }),
    };
  }
  signal.throwIfAborted();
};
