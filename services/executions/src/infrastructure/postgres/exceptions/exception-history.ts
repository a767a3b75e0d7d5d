/** What became of an exception, line by line. The first, that it was opened, is told from the exception itself: thousands are opened at once. */
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { Database } from '../tables.ts';

/** Where the last line of a history stands. That it was opened is the first, whether it is stored or not. */
export const lastPosition = (exceptionId: RawBuilder<unknown>): RawBuilder<number> =>
  sql<number>`(select coalesce(max(position), 1) from exception_history h where h.exception_id = ${exceptionId})`;

type Opened = Pick<Selectable<Database['exceptions']>, 'execution_id' | 'result_id' | 'former_exception_id' | 'created_at'>;
type Line = Pick<Selectable<Database['exception_history']>, 'at' | 'actor_type' | 'actor_id' | 'action' | 'detail'>;

/** None where it is stored. */
export const openingLine = ({
  execution_id: executionId,
  result_id: resultId,
  former_exception_id: former,
  created_at: at,
}: Opened): Line[] =>
  resultId === null
    ? []
    : [
        {
          at,
          actor_type: 'system',
          actor_id: 'system',
          action: 'opened',
          detail: { executionId, resultId, ...(former === null ? {} : { formerExceptionId: former }) },
        },
      ];
