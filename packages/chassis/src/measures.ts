/**
 * Gauges that are read when somebody asks, from the tables that know: never old, and for nothing while nobody asks. Each replica tells the
 * same of the one database, so whoever adds them up has as many times too much: their maximum is what counts.
 */
import { sql } from 'kysely';
import type { Logger } from './logger.ts';
import type { MetricDefinition, Metrics } from './metrics.ts';
import type { Postgres } from './postgres.ts';
import type { ChassisTables } from './tables.ts';

export interface Measures {
  /** One row, whose columns are those of `gauges`. Has to be cheap: it is asked several times a minute, by every replica. */
  readonly query: string;
  readonly gauges: Readonly<Record<string, MetricDefinition>>;
}

/** Who watches gives up after ten seconds, and has none of the metrics then; waiting for a connection takes five of them at most. */
const statementMsMax = 2_000;

type Row = Readonly<Record<string, number | string | bigint | null>>;

/** What cannot be read is left out of the answer: it is not zero, and the other metrics are needed most while the database is away. */
export const startMeasures = (
  { query, gauges }: Measures,
  { metrics, postgres, logger }: { readonly metrics: Metrics; readonly postgres: Postgres<ChassisTables>; readonly logger: Logger },
): void => {
  const read = async (): Promise<Row | undefined> => {
    try {
      return await postgres.systemDb.transaction().execute(async (trx) => {
        await sql`select set_config('statement_timeout', ${String(statementMsMax)}, true)`.execute(trx);
        return (await sql.raw<Row>(query).execute(trx)).rows[0];
      });
    } catch (error) {
      logger.warn({ err: error, metrics: Object.values(gauges).map(({ name }) => name) }, 'metrics could not be read');
      return undefined;
    }
  };
  // All of them are asked for at the same moment.
  let reading: Promise<Row | undefined> | undefined;
  const row = () => {
    reading ??= read().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  for (const [column, definition] of Object.entries(gauges)) {
    metrics.gauge(definition, async (gauge) => {
      const value = (await row())?.[column];
      if (value === undefined || value === null) gauge.remove();
      else gauge.set(Number(value));
    });
  }
};
