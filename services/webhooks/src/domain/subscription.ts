/** Which events an endpoint wants: exact types, `exception.*` for everything of an entity, `*` for everything. */

export const matches = (patterns: readonly string[], type: string): boolean =>
  patterns.some((pattern) => pattern === '*' || pattern === type || (pattern.endsWith('.*') && type.startsWith(pattern.slice(0, -1))));

/** Whether a pattern can ever match one of the types there are. */
export const isKnown = (pattern: string, types: readonly string[]): boolean => types.some((type) => matches([pattern], type));
