/**
 * Texts of one field, one after another as UTF-8 in one heap. Millions of strings would be millions of objects: the heap costs what
 * its bytes cost, and comparing, hashing and normalizing run over bytes. An empty text is an absent field.
 */
export interface TextColumn {
  readonly bytes: Uint8Array;
  /** Where each row's text begins, and at `length` where the last one ends. */
  readonly offsets: Uint32Array;
  /** Rows whose text is the JSON of something else than a text: a number, a list, an object. Absent: none. */
  readonly json?: Uint8Array;
}

const buffers = new WeakMap<Uint8Array, Buffer>();

/** The same bytes with what reads texts fast. Columns stay what they are, because loops over two kinds of arrays are slower. */
const bufferOf = (bytes: Uint8Array): Buffer => {
  const known = buffers.get(bytes);
  if (known !== undefined) return known;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  buffers.set(bytes, buffer);
  return buffer;
};

const encoder = new TextEncoder();

export const isPresent = ({ offsets }: TextColumn, row: number): boolean => (offsets[row + 1] as number) > (offsets[row] as number);

export const textAt = ({ bytes, offsets }: TextColumn, row: number): string =>
  bufferOf(bytes).toString('utf8', offsets[row], offsets[row + 1]);

export const areEqual = (one: TextColumn, row: number, other: TextColumn, otherRow: number): boolean => {
  const start = one.offsets[row] as number;
  const length = (one.offsets[row + 1] as number) - start;
  const otherStart = other.offsets[otherRow] as number;
  if ((other.offsets[otherRow + 1] as number) - otherStart !== length) return false;
  for (let index = 0; index < length; index += 1) {
    if (one.bytes[start + index] !== other.bytes[otherStart + index]) return false;
  }
  return true;
};

/** By bytes, which for UTF-8 is by code points: the same order on every machine. */
export const compareTexts = (one: TextColumn, row: number, other: TextColumn, otherRow: number): number => {
  const start = one.offsets[row] as number;
  const end = one.offsets[row + 1] as number;
  const otherStart = other.offsets[otherRow] as number;
  const otherEnd = other.offsets[otherRow + 1] as number;
  const length = Math.min(end - start, otherEnd - otherStart);
  for (let index = 0; index < length; index += 1) {
    const difference = (one.bytes[start + index] as number) - (other.bytes[otherStart + index] as number);
    if (difference !== 0) return difference;
  }
  return end - start - (otherEnd - otherStart);
};

export interface TextHeap {
  /** Ends the row with this text; `isJson` says that it stands for something else. */
  readonly add: (text: string, isJson?: boolean) => void;
  /** A chunk of rows as a reader hands it over. `outlook`: how many times as much as there is then there will be in the end. */
  readonly addAll: (bytes: Uint8Array, offsets: Uint32Array, rows: number, outlook: number) => void;
  /** Leaves the field absent until there are `rows` rows. */
  readonly fill: (rows: number) => void;
  /** Leaves the first `rows` rows. What was built stays as it is until there are more again. */
  readonly cut: (rows: number) => void;
  readonly rows: () => number;
  readonly build: () => TextColumn;
}

/** More than a column can point into. */
export class ColumnTooLarge extends Error {
  override readonly name = 'ColumnTooLarge';
  readonly code = 'input_too_large';
}

const bytesMax = 2 ** 32 - 1;

/** What it is told to expect it need not grow to: growing copies, and what was copied from is memory that was touched for nothing. */
export const createTextHeap = ({ rows: rowsExpected = 256, bytes: bytesExpected = 1_024 } = {}): TextHeap => {
  let bytes = new Uint8Array(Math.min(bytesMax, bytesExpected));
  let offsets = new Uint32Array(rowsExpected + 1);
  let flags: Uint8Array | undefined;
  let rows = 0;
  let used = 0;

  const reserveBytes = (more: number, outlook = 1): void => {
    if (used + more <= bytes.length) return;
    if (used + more > bytesMax) throw new ColumnTooLarge('one column holds more than 4 GiB of text; split the run by period');
    const grown = new Uint8Array(Math.min(bytesMax, Math.ceil(Math.max((used + more) * outlook, bytes.length * 1.6))));
    grown.set(bytes.subarray(0, used));
    bytes = grown;
  };
  const reserveRows = (more: number, outlook = 1): void => {
    if (rows + more < offsets.length) return;
    const grown = new Uint32Array(Math.ceil(Math.max((rows + more + 1) * outlook, offsets.length * 1.6)));
    grown.set(offsets.subarray(0, rows + 1));
    offsets = grown;
  };
  const endRow = (): void => {
    rows += 1;
    offsets[rows] = used;
  };

  return {
    add: (text, isJson = false) => {
      reserveRows(1);
      reserveBytes(text.length * 3);
      used += encoder.encodeInto(text, bytes.subarray(used)).written;
      if (isJson) {
        if (flags === undefined || flags.length <= rows) {
          const grown = new Uint8Array(Math.max(256, (rows + 1) * 2));
          grown.set(flags ?? []);
          flags = grown;
        }
        flags[rows] = 1;
      }
      endRow();
    },
    addAll: (from, ends, count, outlook) => {
      reserveRows(count, outlook);
      const first = ends[0] as number;
      const last = ends[count] as number;
      reserveBytes(last - first, outlook);
      bytes.set(from.subarray(first, last), used);
      shiftEnds(ends, count, used - first, offsets, rows);
      rows += count;
      used += last - first;
    },
    fill: (wanted) => {
      if (wanted <= rows) return;
      reserveRows(wanted - rows);
      offsets.fill(used, rows + 1, wanted + 1);
      rows = wanted;
    },
    cut: (wanted) => {
      if (wanted >= rows) return;
      flags?.fill(0, wanted);
      used = offsets[wanted] as number;
      rows = wanted;
    },
    rows: () => rows,
    build: () => ({
      bytes: bytes.subarray(0, used),
      offsets: offsets.subarray(0, rows + 1),
      ...(flags === undefined ? {} : { json: flagsOf(flags, rows) }),
    }),
  };
};

/** By itself, because in a loop over what a closure may change each of it would be fetched anew for each row. */
const shiftEnds = (ends: Uint32Array, count: number, shift: number, into: Uint32Array, at: number): void => {
  for (let row = 1; row <= count; row += 1) into[at + row] = ((ends[row] as number) + shift) >>> 0;
};

const flagsOf = (flags: Uint8Array, rows: number): Uint8Array => {
  const all = new Uint8Array(rows);
  all.set(flags.subarray(0, rows));
  return all;
};

/** The column of these texts; undefined leaves the field absent. */
export const textColumnOf = (rows: number, textOf: (row: number) => string | undefined): TextColumn => {
  const heap = createTextHeap();
  for (let row = 0; row < rows; row += 1) heap.add(textOf(row) ?? '');
  return heap.build();
};
