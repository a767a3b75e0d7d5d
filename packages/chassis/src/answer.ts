/** What a handler answers with; the body is sent as JSON. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Of a single resource: which state of it this is. It goes into the tag. */
  readonly revision?: number | bigint;
}
