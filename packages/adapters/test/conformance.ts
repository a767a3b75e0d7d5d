/** What every reader promises, whatever it reads. An adapter's own test says how ten records look at its source, and runs this. */
import { describe, expect, it } from 'vitest';
import { adapterNamed, catalogueEntry, checkConfig } from '../src/catalogue.ts';
import type { ReadContext } from '../src/reader.ts';
import { openReader } from '../src/readers.ts';
import { collected, contextOf, failureOf, readChunks, readRows } from './reading.ts';

export type SampleRecord = { id: string; amount: string; currency: string; date: string; reference: string };

export type AdapterUnderTest = {
  readonly name: string;
  /** The configuration, and the files it names, of a source that holds these records. */
  readonly holding: (records: readonly SampleRecord[]) => { config: object; openFile?: ReadContext['openFile'] };
  /** A valid configuration that names no input. */
  readonly withoutInput: object;
};

const samples = (count: number): SampleRecord[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `r${index}`,
    amount: `${index - 3}.50`.replace('-0', '0'),
    currency: index % 2 === 0 ? 'EUR' : 'USD',
    date: `2026-04-${String(1 + (index % 28)).padStart(2, '0')}`,
    reference: `order ${index}`,
  }));

export const conformance = ({ name, holding, withoutInput }: AdapterUnderTest): void => {
  const read = async (count: number, context: Partial<ReadContext> = {}) => {
    const { config, ...files } = holding(samples(count));
    const { read } = await openReader(name, config);
    return read(contextOf({ ...files, ...context }));
  };

  describe(`the ${name} adapter`, () => {
    it('has an entry in the catalogue that can be sent as JSON and describes an object', () => {
      const definition = adapterNamed(name);
      if (definition === undefined) throw new Error(`${name} is not in the catalogue`);
      const entry = catalogueEntry(definition);
      expect(JSON.parse(JSON.stringify(entry))).toEqual(entry);
      expect(entry).toMatchObject({ name, configSchema: { type: 'object', additionalProperties: false } });
      expect(entry.title).not.toBe('');
      expect(entry.fields.map(({ name }) => name)).toContain('amount');
    });

    it('stores a configuration as it was sent, and refuses fields that it does not know', () => {
      const definition = adapterNamed(name);
      if (definition === undefined) throw new Error(`${name} is not in the catalogue`);
      const { config } = holding(samples(3));
      expect(checkConfig(definition, config)).toEqual({ ok: true, config });
      expect(checkConfig(definition, { ...config, surprise: 1 })).toEqual({
        ok: false,
        errors: [{ path: 'surprise', message: 'is not a known field' }],
      });
    });

    it('gives the records in input order, with canonical fields', async () => {
      const { config, ...files } = holding(samples(10));
      const rows = await readRows(name, config, files);
      expect(rows.map((row) => ('record' in row ? row.record : row))).toEqual(samples(10));
    });

    it('gives lines that increase, where the input has lines', async () => {
      const { config, ...files } = holding(samples(50));
      const lines = (await readRows(name, config, files)).flatMap(({ line }) => line ?? []);
      expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      expect(new Set(lines).size).toBe(lines.length);
      expect([0, 50]).toContain(lines.length);
    });

    it('gives no chunk larger than asked for, none empty, and says how far it has come', async () => {
      const { config, ...files } = holding(samples(50));
      const chunks = await readChunks(name, config, { ...files, limits: { rowsPerChunk: 7 } });
      expect(chunks.map(({ rows }) => rows.length)).toEqual([7, 7, 7, 7, 7, 7, 7, 1]);
      const progress = chunks.map(({ bytesRead }) => bytesRead);
      expect(progress).toEqual(progress.toSorted((a, b) => a - b));
      for (const { bytesRead, totalBytes } of chunks) expect(bytesRead).toBeLessThanOrEqual(totalBytes ?? bytesRead);
    });

    it('reads an input without records as no rows', async () => {
      const { config, ...files } = holding([]);
      expect(await readRows(name, config, files)).toEqual([]);
    });

    it('does not begin when it is aborted already, and throws the reason', async () => {
      const reason = new Error('cancelled');
      const chunks = await read(5, { signal: AbortSignal.abort(reason) });
      await expect(collected(chunks)).rejects.toBe(reason);
    });

    it('stops at the next chunk when it is aborted, and throws the reason', async () => {
      const abort = new AbortController();
      const chunks = (await read(50, { signal: abort.signal, limits: { rowsPerChunk: 5 } }))[Symbol.asyncIterator]();
      expect((await chunks.next()).done).toBe(false);
      abort.abort(new Error('cancelled'));
      await expect(chunks.next()).rejects.toThrow('cancelled');
    });

    it('refuses to run without an input', async () => {
      expect(await failureOf(readRows(name, withoutInput))).toMatchObject({ code: 'no_input' });
    });

    it('refuses a configuration that does not hold', async () => {
      expect(await failureOf(readRows(name, { ...withoutInput, surprise: 1 }))).toMatchObject({ code: 'invalid_config' });
    });
  });
};
