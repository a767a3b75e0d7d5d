/** What a reader takes and gives, the same for every adapter. */
import type { ExecutionErrorCode } from '@settler/contracts/execution-errors';

/** Known fields are canonical: amounts decimal strings, `currency` upper case, `date` an ISO day. Any other field is as the source has it. */
export type ReadRecord = {
  id?: string;
  amount?: string;
  currency?: string;
  date?: string;
  reference?: string;
  counterparty?: string;
  description?: string;
  type?: string;
  fee?: string;
  net?: string;
  [field: string]: unknown;
};

/**
 * One row of the input, readable or not. `line` is the physical line on which it starts, where the input has lines.
 * Of a row that could not be read, `partial` holds the fields that could, `raw` the beginning of its text.
 */
export type ReadRow =
  | { readonly line?: number; readonly record: ReadRecord }
  | {
      readonly line?: number;
      readonly invalid: { readonly field?: string; readonly reason: string };
      readonly raw?: string;
      readonly partial?: ReadRecord;
    };

/** Rows in input order, at most `limits.rowsPerChunk` of them, and how far into the input the reader was after the last. */
export type ReadChunk = { readonly rows: readonly ReadRow[]; readonly bytesRead: number; readonly totalBytes?: number };

export type ReadLimits = {
  readonly rowsPerChunk: number;
  /** A physical record longer than this ends the read: nobody's ledger has such a line, and buffering it is how a reader dies. */
  readonly bytesPerRecord: number;
  readonly columns: number;
};

export const defaultLimits: ReadLimits = { rowsPerChunk: 4096, bytesPerRecord: 1024 * 1024, columns: 2000 };

/** Each block is its source's again once the next is asked for: whoever keeps something of it copies it. */
export type OpenedFile = { readonly bytes: AsyncIterable<Uint8Array>; readonly size: number };

/** What is probably not meant so, of an input that can be read all the same. `side` is for the executions service to fill in. */
export type InputNotice = { readonly code: 'mixed_encoding' | 'too_few_rows'; readonly message: string; readonly line?: number };

export type ReadContext = {
  /** Undefined where the organization has no such file. */
  readonly openFile: (fileId: string, signal: AbortSignal) => Promise<OpenedFile | undefined>;
  readonly signal: AbortSignal;
  readonly limits?: Partial<ReadLimits>;
  readonly tell?: (notice: InputNotice) => void;
};

/** Pulls from its source only when asked for the next chunk, throws `ReaderFailure` when the input as a whole cannot be read, and the signal's reason on abort. */
export type Read<Config> = (config: Config, context: ReadContext) => AsyncIterable<ReadChunk>;

export const readerFailureCodes = [
  'invalid_config',
  'no_input',
  'no_such_file',
  'empty_file',
  'binary_content',
  'bad_encoding',
  'line_too_long',
  'unterminated_quote',
  'too_many_columns',
  'reserved_column',
  'no_such_column',
] as const satisfies readonly ExecutionErrorCode[];
export type ReaderFailureCode = (typeof readerFailureCodes)[number];

/** The input as a whole cannot be read. The message is for the caller; retrying cannot help. `side` is for the executions service to fill in. */
export class ReaderFailure extends Error {
  readonly code: ReaderFailureCode;
  readonly line: number | undefined;
  side?: 'source' | 'target';

  constructor(code: ReaderFailureCode, message: string, line?: number) {
    super(message);
    this.name = 'ReaderFailure';
    this.code = code;
    this.line = line;
  }
}
