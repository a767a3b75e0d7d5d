/** A column of numbers that grows by rows. */

type NumberArray = Float64Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>;

export interface Numbers<Values extends NumberArray> {
  values: Values;
  rows: number;
  readonly create: (length: number) => Values;
}

export const numbers = <Values extends NumberArray>(create: (length: number) => Values): Numbers<Values> => ({
  values: create(256),
  rows: 0,
  create,
});

/** Adds rows, whose numbers are the caller's to write, and answers where they begin. */
export const addNumbers = <Values extends NumberArray>(column: Numbers<Values>, more: number): number => {
  const first = column.rows;
  column.rows += more;
  if (column.rows > column.values.length) {
    const grown = column.create(Math.max(column.rows, column.values.length * 2));
    grown.set(column.values.subarray(0, first));
    column.values = grown;
  }
  return first;
};

/** The first `rows`, to be given away; the rest stays. */
export const takeNumbers = <Values extends NumberArray>(column: Numbers<Values>, rows: number): Values => {
  const { values } = column;
  column.values = column.create(Math.max(256, column.rows));
  column.values.set(values.subarray(rows, column.rows));
  column.rows -= rows;
  return values.subarray(0, rows) as Values;
};
