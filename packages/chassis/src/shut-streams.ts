/** Streams that take nothing: full, or without anybody who answers for them. What is for them waits a while, longer each time. */

export interface ShutStreams {
  readonly names: () => readonly string[];
  readonly has: (stream: string) => boolean;
  /** How long it is shut now; undefined where it was already. */
  readonly shut: (stream: string) => number | undefined;
  /** It has taken something. */
  readonly open: (stream: string) => void;
}

const firstMs = 500;
const longestMs = 8_000;

export const createShutStreams = (clockMs: () => number): ShutStreams => {
  const known = new Map<string, { readonly untilMs: number; readonly ms: number }>();
  const has = (stream: string) => clockMs() < (known.get(stream)?.untilMs ?? 0);
  return {
    names: () => [...known.keys()].filter(has),
    has,
    shut: (stream) => {
      if (has(stream)) return undefined;
      const ms = Math.min(longestMs, (known.get(stream)?.ms ?? firstMs / 2) * 2);
      known.set(stream, { untilMs: clockMs() + ms, ms });
      return ms;
    },
    open: (stream) => known.delete(stream),
  };
};
