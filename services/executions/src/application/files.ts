import type { Page } from '@settler/chassis/pagination';
import type { Actor } from './ports.ts';

/** What is known of an uploaded file. */
export interface FileView {
  readonly id: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Hexadecimal. */
  readonly sha256: string;
  readonly contentType: string;
  readonly createdAt: string;
}

/** A file whose bytes are written and that nobody can see yet. */
export interface StagedFile {
  readonly id: string;
  readonly organizationId: string;
  readonly size: number;
  readonly sha256: string;
}

export interface Upload {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly contentType: string;
  readonly bytesMax: number;
}

export interface FileStore {
  /** Writes the bytes under an id that nobody can see yet. @throws Refusal `payload_too_large` beyond `bytesMax` */
  readonly stage: (upload: Upload, bytes: AsyncIterable<Uint8Array>) => Promise<StagedFile>;
  readonly publish: (staged: StagedFile, actor: Actor) => Promise<FileView>;
  readonly discard: (staged: { readonly id: string; readonly organizationId: string }) => Promise<void>;
  /** False where there is none. @throws Refusal `conflict` while an execution that is not over needs it */
  readonly remove: (id: string, actor: Actor) => Promise<boolean>;
  /** For readers: the bytes of a ready file, chunk by chunk. Undefined where the organization has no such file. */
  readonly open: (
    organizationId: string,
    id: string,
    signal: AbortSignal,
  ) => Promise<{ readonly size: number; readonly bytes: AsyncIterable<Uint8Array> } | undefined>;
  /** Removes what interrupted uploads left. */
  readonly sweepUnfinished: () => Promise<void>;
}

export interface FileQueries {
  readonly read: (organizationId: string, id: string) => Promise<FileView | undefined>;
  readonly list: (
    organizationId: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ) => Promise<Page<FileView>>;
}
