/** Bytes of any encoding to blocks of valid UTF-8, which is what the splitter reads. */
import { isAscii, isUtf8 } from 'node:buffer';
import { ReaderFailure } from '../reader.ts';

/** Whether TextDecoder knows the encoding. */
export const isEncoding = (label: string): boolean => {
  try {
    return new TextDecoder(label).encoding !== '';
  } catch {
    // RangeError is the only way TextDecoder has of saying that it does not know the label.
    return false;
  }
};

const bomOf = (head: Uint8Array): { encoding: string; length: number } | undefined => {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return { encoding: 'utf-8', length: 3 };
  if (head[0] === 0xff && head[1] === 0xfe) return { encoding: 'utf-16le', length: 2 };
  if (head[0] === 0xfe && head[1] === 0xff) return { encoding: 'utf-16be', length: 2 };
  return undefined;
};

// What people upload instead of a CSV; the name of it helps them more than the NUL byte that gives it away.
const foreign: readonly (readonly [signature: string, what: string])[] = [
  ['504b0304', 'a ZIP or XLSX file'],
  ['25504446', 'a PDF file'],
  ['1f8b08', 'a gzip file'],
  ['d0cf11e0', 'an old Excel file'],
];

/**
 * A byte order mark decides, whatever the configuration says, as the web's own decoders do. Then `encoding`. With neither, the
 * first bytes beyond ASCII decide: UTF-8 if they are a character of it, else windows-1252. A file that
 * began as UTF-8 and goes on as something else fails with `bad_encoding` rather than turn into nonsense half-way.
 */
export async function* utf8Blocks(
  chunks: AsyncIterable<Uint8Array>,
  encoding: string | undefined,
  tellMixed: (example: string) => void = () => {},
): AsyncGenerator<Uint8Array> {
  let decoder: Decoder | undefined;
  let head: Uint8Array = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (decoder !== undefined) {
      yield* decoder.push(chunk);
      continue;
    }
    head = Buffer.concat([head, chunk]);
    if (head.length < 4) continue;
    decoder = decoderFor(head, encoding, tellMixed);
    yield* decoder.push(withoutBom(head));
  }
  decoder ??= decoderFor(head, encoding, tellMixed);
  if (head.length < 4) yield* decoder.push(withoutBom(head));
  yield* decoder.finish();
}

const withoutBom = (head: Uint8Array): Uint8Array => head.subarray(bomOf(head)?.length ?? 0);

type Decoder = { readonly push: (chunk: Uint8Array) => Iterable<Uint8Array>; readonly finish: () => Iterable<Uint8Array> };

const decoderFor = (head: Uint8Array, encoding: string | undefined, tellMixed: (example: string) => void): Decoder => {
  const hex = Buffer.from(head.subarray(0, 4)).toString('hex');
  const what = foreign.find(([signature]) => hex.startsWith(signature))?.[1];
  if (what !== undefined) throw new ReaderFailure('binary_content', `this is ${what}, not CSV`, 1);
  const decided = bomOf(head)?.encoding ?? (encoding === undefined ? undefined : new TextDecoder(encoding).encoding);
  if (decided === undefined) return detecting(tellMixed);
  return decided === 'utf-8' ? checking() : transcoding(decided);
};

const transcoding = (encoding: string): Decoder => {
  // The mark is off already; a second one would be a character.
  const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
  // A decoder that fails keeps what it had read of the block to itself. This one, always as far, tells what stood before the fault.
  const lenient = new TextDecoder(encoding, { ignoreBOM: true });
  function* decode(chunk?: Uint8Array): Generator<Uint8Array> {
    const options = { stream: chunk !== undefined };
    const text = lenient.decode(chunk, options);
    let cause: unknown;
    try {
      decoder.decode(chunk, options);
    } catch (error) {
      cause = error;
    }
    const readable = cause === undefined ? text : text.slice(0, Math.max(0, text.indexOf('\ufffd')));
    if (readable !== '') yield Buffer.from(readable, 'utf8');
    if (cause !== undefined) throw Object.assign(new ReaderFailure('bad_encoding', `the input is not ${encoding}`), { cause });
  }
  return { push: decode, finish: decode };
};

const checking = (): Decoder => {
  let tail: Uint8Array = Buffer.alloc(0);
  function* push(chunk: Uint8Array): Generator<Uint8Array> {
    if (tail.length === 0 && isAscii(chunk)) {
      yield chunk;
      return;
    }
    const bytes = tail.length === 0 ? chunk : Buffer.concat([tail, chunk]);
    const whole = bytes.subarray(0, bytes.length - unfinished(bytes));
    if (!isUtf8(whole)) {
      // What comes before the fault is handed on, so that the reader knows the line it is on.
      yield bytes.subarray(0, validLength(whole));
      throw notUtf8();
    }
    tail = Buffer.from(bytes.subarray(whole.length));
    yield whole;
  }
  const finish = (): Uint8Array[] => {
    if (tail.length > 0) throw notUtf8();
    return [];
  };
  return { push, finish };
};

const notUtf8 = () => new ReaderFailure('bad_encoding', 'the input is not UTF-8; say in the configuration which encoding it has');

/** The length of the character that a byte begins, 0 if it cannot begin one. */
const characterLength = (byte: number): number => {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte <= 0xdf) return 2;
  if (byte >= 0xe0 && byte <= 0xef) return 3;
  return byte >= 0xf0 && byte <= 0xf4 ? 4 : 0;
};

/** How many bytes at the end belong to a character that has not come whole yet. */
const unfinished = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte >= 0xc0 || byte < 0x80) return characterLength(byte) > back ? back : 0;
  }
  return 0;
};

const validLength = (bytes: Uint8Array): number => {
  let [low, above] = [0, bytes.length];
  while (above - low > 1) {
    const middle = (low + above) >> 1;
    const part = bytes.subarray(0, middle);
    if (isUtf8(part.subarray(0, middle - unfinished(part)))) low = middle;
    else above = middle;
  }
  const part = bytes.subarray(0, low);
  return low - unfinished(part);
};

const detecting = (tellMixed: (example: string) => void): Decoder => {
  let decided: Decoder | undefined;
  let held: Uint8Array = Buffer.alloc(0);
  function* decide(bytes: Uint8Array, isLast: boolean): Generator<Uint8Array> {
    const first = bytes.findIndex((byte) => byte >= 0x80);
    const length = Math.max(1, characterLength(bytes[first] ?? 0));
    if (first + length > bytes.length && !isLast) {
      held = Buffer.from(bytes.subarray(first));
      yield bytes.subarray(0, first);
      return;
    }
    decided = isUtf8(bytes.subarray(first, first + length)) ? checking() : watching(transcoding('windows-1252'), tellMixed);
    yield* decided.push(bytes);
  }
  function* push(chunk: Uint8Array): Generator<Uint8Array> {
    if (decided !== undefined) {
      yield* decided.push(chunk);
      return;
    }
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = Buffer.alloc(0);
    if (isAscii(bytes)) yield bytes;
    else yield* decide(bytes, false);
  }
  function* finish(): Generator<Uint8Array> {
    if (held.length > 0) yield* decide(held, true);
    if (decided !== undefined) yield* decided.finish();
  }
  return { push, finish };
};

/**
 * Files are put together of parts: one that began as windows-1252 can go on as UTF-8, where every `ü` becomes `Ã¼`, and references find
 * nobody. Both bytes are characters, so this is a guess: told once, and nothing fails for it. Other first bytes than these two are
 * capitals, which do stand before quotes and non-breaking spaces.
 */
const watching = (decoder: Decoder, tellMixed: (example: string) => void): Decoder => {
  let isTold = false;
  function* push(chunk: Uint8Array): Generator<Uint8Array> {
    for (const block of decoder.push(chunk)) {
      const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
      if (!isTold && firsts.some((first) => bytes.includes(first))) {
        const text = bytes.toString('utf8');
        const at = text.search(misread);
        if (at !== -1) tellMixed(around(text, at));
        isTold = at !== -1;
      }
      yield block;
    }
  }
  return { push, finish: decoder.finish };
};

// Most files have neither, and to look for them costs nothing beside making a text of all.
const firsts = ['\u00c2', '\u00c3'].map((first) => Buffer.from(first));
// What the second byte of such a character is in windows-1252.
const misread = /[\u00c2\u00c3][\u0080-\u00bf\u0152-\u2122]/;

const around = (text: string, at: number): string => {
  const [before = ''] = text
    .slice(Math.max(0, at - 10), at)
    .split(/[\r\n]/)
    .slice(-1);
  const [after = ''] = text.slice(at, at + 20).split(/[\r\n]/);
  return before + after;
};
