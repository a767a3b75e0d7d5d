import { z } from 'zod';

/** Text, because a query has no lists; in a body it is written in the same way, so that one is the other. Answers each once. */
export const oneOfSeveral = <const Value extends string>(values: readonly [Value, Value, ...Value[]]) =>
  z
    .string()
    .max(100)
    .transform((text, context) => {
      const read = z.array(z.enum(values)).safeParse([...new Set(text.split(','))]);
      if (read.success) return read.data;
      context.addIssue({
        code: 'custom',
        message: `must be one of ${values.join(', ')}, or several of them with commas between, such as ${values[0]},${values[1]}`,
      });
      return z.NEVER;
    });
