/** A column of numbers that grows by rows. */

type NumberArray = Float64Array | Int32Array | Uint32Array | Uint8Array;

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

/** The first rows, until they are dropped. */
export const numbersOf = <Values extends NumberArray>({ values }: Numbers<Values>, rows: number): Values =>
  values.subarray(0, rows) as Values;

export const dropNumbers = <Values extends NumberArray>(column: Numbers<Values>, rows: number): void => {
  column.values.copyWithin(0, rows, column.rows);
  column.rows -= rows;
};
