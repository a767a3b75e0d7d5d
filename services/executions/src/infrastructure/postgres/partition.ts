/** The month's partition of a table, which only the system role may touch. */
export const partition = (table: 'results' | 'result_records', createdAt: Date): string =>
  `${table}_${createdAt.toISOString().slice(0, 7).replace('-', '_')}`;
