/** Why an execution can end `failed`: the codes of its `error`, and what its owner can do. Programs may rely on the codes. */
export const executionErrors = {
  invalid_config: 'The configuration of an adapter does not hold. The message names the fault; change the job.',
  no_input: 'Neither the job nor the run names an input. Send one with the run, or put it into the job.',
  no_such_file: 'The file that the job names is not there any more. Upload it again.',
  empty_file: 'The input is empty: it has no header.',
  binary_content: 'The input is not the text that its adapter reads: an archive, a spreadsheet, an image.',
  bad_encoding: 'The input is not in the encoding that was named or found. Name the right one in the configuration.',
  line_too_long: 'A record is longer than an adapter holds in memory. A quote that is never closed is the usual cause.',
  unterminated_quote: 'A quote is opened and never closed, or not within the length that a record may have.',
  too_many_columns: 'The header has more columns than an adapter reads. A wrong delimiter is the usual cause.',
  reserved_column: 'A column is called `__proto__`, which no record can have as a field. Rename it.',
  no_such_column: 'A field is mapped to a column that the input has not. The message lists those it has.',
  no_dates: 'The run is of a `period`, and no record of a side has a date. Map `date` in the configuration, or run without a period.',
  input_too_large: 'One column of the input holds more text than matching can address. Split the run by period.',
  too_many_candidates:
    'A pass would compare too many pairs of records to end in time. Add an exact condition, or narrow a tolerance or a window.',
  out_of_memory: 'Matching needs more memory than `WORKER_MEMORY_MB`. Raise it, or split the run by period.',
  attempts_exhausted: 'No worker could finish the run in five attempts. The message has the last cause; run the job again.',
} as const satisfies Record<string, string>;

export type ExecutionErrorCode = keyof typeof executionErrors;
