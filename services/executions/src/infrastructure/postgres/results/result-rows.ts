/** Results as rows in the text format of COPY. Where they were found they are made, in the matching thread, and go to the database as they are. */
import { newIds } from '@settler/chassis/ids';
import { exponentOf, fromMinor } from '@settler/contracts/money';
import type { ResultPiece, ResultRows, ResultRun } from '../../../application/ports.ts';
import { type Category, categoryOf } from '../../../domain/exceptions.ts';
import type { MatchedRecord, MatchedResult } from '../../../domain/matched-result.ts';
import { decimalText } from '../../../domain/matching/columns/money.ts';
import type { ItemKey } from '../../../domain/open-items.ts';
import { createPassSums } from '../../../domain/pass-sums.ts';
import { type Side, sides } from '../../../domain/side.ts';
import type { Fields } from '../../../domain/stake.ts';
import { weigh } from '../exceptions/exception-candidate.ts';
import { keyOfOne } from '../open-items/record-key.ts';
import { createDigests, type Letters, lettersOf } from './result-digest.ts';
import { idsBeyond, recordLengthMax, searchTextOf } from './search-text.ts';

export const resultColumns =
  'created_at, id, organization_id, execution_id, epoch, position, outcome, pass, cardinality, score, margin, delta, category, reason, line, due_on, conditions, source, target, amount_max, search, manual, runner_up, exception_id, occurrence';
export const moveColumns = 'execution_id, epoch, identity, side, occurrence, outcome, record, record_key';
export const draftColumns =
  'execution_id, epoch, position, id, result_id, record_key, category, severity, amount, currency, reason, records, search';

export interface RowsMemory {
  /** A piece that nobody needs any more, whose memory is used again. */
  readonly written?: ResultRows | undefined;
  /** How long the rows of results will most likely be, so that they are written where they stay; 0 where nothing tells. */
  readonly expectedBytes?: number;
}

/**
 * `first`: the position of the first of them. One after the other, so that none of them outlives its row. `memory`: what is fresh costs the
 * system a good part of what the rows cost us.
 */
export const rowsOf = (run: ResultRun, results: Iterable<MatchedResult>, first: number, memory: RowsMemory = {}): ResultPiece => {
  const { written, expectedBytes } = memory;
  const rows = {
    results: createRows(written?.results, expectedBytes),
    moves: createRows(written?.moves),
    drafts: createRows(written?.drafts),
  };
  // The same in every row, and written once.
  const createdAt = run.createdAt.toISOString();
  const ofRun = `${run.organizationId}\t${run.id}\t${run.epoch}`;
  const nextId = newIds('result');
  const nextExceptionId = newIds('exception');
  const sums = createPassSums();
  const digests = createDigests(first);
  let count = 0;
  for (const result of results) {
    const id = nextId();
    const found = findable(result);
    // The one that it opens, unless one is there for its record: then the end of the run says which.
    const category = categoryInNeed(result);
    const exceptionId = category === undefined ? none : nextExceptionId();
    addResult(rows.results, `${createdAt}\t${id}\t${ofRun}`, result, first + count, found, `${exceptionId}\t${numberOf(result)}`);
    if (category !== undefined)
      addDraft(rows.drafts, run, { result, category, found, position: first + count, ids: `${exceptionId}\t${id}` });
    sums.add(result);
    digests.add({ id, outcome: result.outcome, pass: result.pass, amount: found.amount, text: found.text, names: found.names });
    count += 1;
    if (run.carriesForward) {
      for (const side of sides) {
        for (const record of result[side])
          if (record.openItem !== undefined) addMove(rows.moves, run, side, result, record, record.openItem);
      }
    }
  }
  return {
    count,
    results: rows.results.bytes(),
    moves: rows.moves.bytes(),
    drafts: rows.drafts.bytes(),
    sums: sums.all(),
    digests: digests.build(),
  };
};

const rowsBytesLeast = 64 * 1_024;
/** One piece is not like another, and a row is given more room than it takes while it is written. */
const spareTimes = 1.25;

/**
 * Text as bytes, row by row: one text of all rows would be copied twice more. In memory that both threads share: what is handed over counts
 * as newly allocated, and for every few megabytes of that the engine marks the whole heap of whoever has it.
 */
const createRows = (written?: Uint8Array, expectedBytes = 0) => {
  const isEnough = written !== undefined && written.buffer.byteLength >= expectedBytes;
  const fresh = () => new SharedArrayBuffer(Math.max(rowsBytesLeast, Math.ceil(expectedBytes * spareTimes)));
  let buffer = Buffer.from(isEnough ? written.buffer : fresh());
  let used = 0;
  const reserve = (bytes: number): void => {
    if (used + bytes <= buffer.length) return;
    const grown = Buffer.from(new SharedArrayBuffer(used * 2 + bytes));
    buffer.copy(grown, 0, 0, used);
    buffer = grown;
  };
  const add = (text: string): void => {
    reserve(text.length * 3);
    used += buffer.write(text, used);
  };
  const addRecord = (record: MatchedRecord): void => {
    const { bytes, row } = record;
    if (bytes === undefined || row === undefined) add(json(record.record));
    else {
      reserve(bytes.jsonBytesMax(row));
      used = bytes.writeJson(row, buffer, used);
    }
  };
  const addByte = (byte: number): void => {
    reserve(1);
    buffer[used] = byte;
    used += 1;
  };
  return {
    add,
    addRecord,
    /** As a list of JSON, and what ends the column. */
    addRecords: (records: readonly MatchedRecord[]): void => {
      addByte(byteOf('['));
      for (let index = 0; index < records.length; index += 1) {
        if (index > 0) addByte(byteOf(','));
        addRecord(records[index] as MatchedRecord);
      }
      addByte(byteOf(']'));
      addByte(byteOf('\t'));
    },
    /** Of ASCII without anything to escape. */
    addLetters: ({ codes, length }: Letters): void => {
      reserve(length);
      for (let at = 0; at < length; at += 1) buffer[used + at] = codes[at] as number;
      used += length;
    },
    bytes: (): Uint8Array => buffer.subarray(0, used),
  };
};
type Rows = ReturnType<typeof createRows>;

const byteOf = (letter: string): number => letter.charCodeAt(0);

const special = /[\0\\\t\n\r]/;
const none = '\\N';
const escapes: Readonly<Record<string, string>> = { '\0': '\u{fffd}', '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

/** NUL cannot be stored as text, the rest is escaped. */
const escaped = (text: string | null | undefined): string => {
  if (text === null || text === undefined) return none;
  return special.test(text) ? text.replaceAll(/[\0\\\t\n\r]/g, (character) => escapes[character] as string) : text;
};
/** What has nothing to escape: numbers, codes, ids. */
const plain = (value: string | number | bigint | boolean | null | undefined): string | number | bigint | boolean => value ?? none;

/** No text of PostgreSQL holds NUL or a lone surrogate, which JSON can spell. */
const storable = (text: string): string => {
  // Escaped backslashes are read over, because what follows one is no escape but text.
  return text.includes('\\u')
    ? text.replaceAll(/\\(?:\\|u0000|ud[89a-f][0-9a-f]{2})/gi, (read) => (read === '\\\\' ? read : '\ufffd'))
    : text;
};

const json = (value: unknown): string => {
  const text = JSON.stringify(value);
  // Whatever has to be escaped, or has no text in PostgreSQL, JSON has written with a backslash.
  return text.includes('\\') ? escaped(storable(text)) : text;
};

/** Nearly all are the first, and say nothing. */
const numberOf = ({ occurrence }: MatchedResult): string | number => (occurrence === undefined || occurrence === 1 ? none : occurrence);

/** What is not due yet needs nobody. */
const categoryInNeed = ({ outcome, category, dueOn }: MatchedResult): Category | undefined =>
  dueOn === undefined ? categoryOf(outcome, category ?? undefined) : undefined;

/** What lists are narrowed by. `escaped`: the text as it is written, unless its letters can be. */
interface Found {
  readonly amount: string | null;
  readonly text: Letters;
  readonly names: readonly string[];
  readonly escaped?: string;
}

const findable = ({ source, target }: MatchedResult): Found => {
  const both = [...source, ...target];
  const amount = largestAmount(both);
  const letters = lettersIn(both);
  if (letters !== undefined) return { amount, text: letters, names: [] };
  const records = both.map(({ record }) => record);
  const text = searchTextOf(records);
  return { amount, text: lettersOf(text), names: idsBeyond(text, records), escaped: escaped(text) };
};

const codes = new Uint16Array(recordLengthMax);

/** The letters of what the records are searched by, until the next ones; undefined where that takes the records themselves. */
const lettersIn = (records: readonly MatchedRecord[]): Letters | undefined => {
  let length = 0;
  for (const { bytes, row } of records) {
    if (bytes === undefined || row === undefined || length + bytes.searchedMax(row) > recordLengthMax) return undefined;
    length = bytes.writeSearched(row, codes, length);
  }
  return { codes, length };
};

/** Between `begin` and `end`, as few texts as can be: each is written by itself. */
const addResult = (rows: Rows, begin: string, result: MatchedResult, position: number, found: Found, end: string): void => {
  const { outcome, pass, cardinality, score, margin, delta, category, reason, line, dueOn, conditions, source, target, manual, runnerUp } =
    result;
  const told = `${position}\t${outcome}\t${escaped(pass)}\t${plain(cardinality)}\t${plain(score)}\t${plain(margin)}`;
  const needs = `${delta === null ? none : json(delta)}\t${plain(category)}\t${escaped(reason)}\t${plain(line)}\t${plain(dueOn)}`;
  rows.add(`${begin}\t${told}\t${needs}\t${json(conditions)}\t`);
  rows.addRecords(source);
  rows.addRecords(target);
  rows.add(`${plain(found.amount)}\t`);
  addSearched(rows, found);
  rows.add(`\t${manual === undefined ? none : json(manual)}\t${runnerUp === undefined ? none : json(runnerUp)}\t${end}\n`);
};

const addSearched = (rows: Rows, found: Found): void => {
  if (found.escaped === undefined) rows.addLetters(found.text);
  else rows.add(found.escaped);
};

interface Drafted {
  readonly result: MatchedResult;
  readonly category: Category;
  readonly found: Found;
  readonly position: number;
  /** Of the exception and of the result. */
  readonly ids: string;
}

const addDraft = (rows: Rows, { id, epoch, severity }: ResultRun, { result, category, found, position, ids }: Drafted): void => {
  const { outcome, line, delta, reason } = result;
  const [source, target] = [result.source.map(asStored), result.target.map(asStored)];
  const weighed = weigh({ outcome, line, position, occurrence: result.occurrence ?? null, delta, source, target }, category, severity);
  const said = `${category}\t${weighed.severity}\t${plain(weighed.amount)}\t${escaped(weighed.currency)}\t${escaped(reason)}`;
  rows.add(`${id}\t${epoch}\t${position}\t${ids}\t${escaped(weighed.record_key)}\t${said}\t`);
  rows.addRecords([...result.source, ...result.target]);
  addSearched(rows, found);
  rows.add('\n');
};

/** What a key is made of must not depend on whether it was stored already. */
const asStored = ({ record }: MatchedRecord): Fields => {
  const text = JSON.stringify(record);
  return text.includes('\\u') ? JSON.parse(storable(text)) : record;
};

/** Whatever the currencies; the first of several. Minor units. */
export const largestAmount = (records: readonly { readonly units: number | bigint | null; readonly currency: string }[]): string | null => {
  let largest: number | bigint | null = null;
  let of = '';
  for (const { units, currency } of records) {
    if (units === null) continue;
    const amount = units < 0 ? -units : units;
    if (largest !== null && amount <= largest) continue;
    largest = amount;
    of = currency;
  }
  if (largest === null) return null;
  return typeof largest === 'bigint' ? fromMinor(largest, exponentOf(of)) : decimalText(largest, exponentOf(of));
};

const addMove = (
  rows: Rows,
  { id, epoch }: ResultRun,
  side: Side,
  { outcome }: MatchedResult,
  record: MatchedRecord,
  { identity, occurrence }: ItemKey,
): void => {
  rows.add(`${id}\t${epoch}\t${escaped(identity)}\t${side}\t${occurrence}\t${outcome}\t`);
  rows.addRecord(record);
  rows.add(`\t${escaped(keyOfOne(side, record.record, occurrence))}\n`);
};
