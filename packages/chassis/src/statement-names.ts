/** Names for statements that are asked again and again: under its name, a connection parses and plans each of them once. */

/** The name of a statement, the same at each call; undefined where it has none, or none yet. */
export type StatementNames = (text: string) => string | undefined;

/** Asked for less often, a statement would be kept by every connection for nobody. */
const usesBefore = 8;
/** What a connection keeps, in PostgreSQL, is some tens of kilobytes for each. */
const namesMax = 200;
const countedMax = 2_000;

/** Of `*`, PostgreSQL refuses to execute what was prepared before a column more: a migration would fail requests. */
const answersAllColumns = /(?:\bselect|\breturning|,)\s+\*|\.\*/i;
/** What is right for an array of a thousand is not for one of ten, of which PostgreSQL thinks where it does not know. */
const takesArrays = /\[\]/;
/** Written in a statement of which neither is true, although it looks like it: its `*` are its own, and it would have no other plan. */
const plannedOnce = '/* planned once */';

const mayHaveName = (text: string): boolean => text.includes(plannedOnce) || !(answersAllColumns.test(text) || takesArrays.test(text));

export const createStatementNames = (): StatementNames => {
  const names = new Map<string, string>();
  const uses = new Map<string, number>();

  return (text) => {
    const known = names.get(text);
    if (known !== undefined || names.size === namesMax) return known;
    const use = (uses.get(text) ?? (mayHaveName(text) ? 0 : Number.NEGATIVE_INFINITY)) + 1;
    if (use < usesBefore) {
      // Texts that are never the same again must not be counted for ever.
      if (uses.size === countedMax) uses.clear();
      uses.set(text, use);
      return undefined;
    }
    uses.delete(text);
    const name = `s${names.size}`;
    names.set(text, name);
    return name;
  };
};
