import { sql } from 'kysely';
import { Gauge } from 'prom-client';
import type { Metrics } from './metrics.ts';
import type { Postgres } from './postgres.ts';
import type { ChassisTables } from './tables.ts';

/** How far behind publishing is, and what was given up: read when asked, from the tables that know. */
export const measureMessaging = (metrics: Metrics, postgres: Postgres<ChassisTables>): void => {
  const gauge = (name: string, help: string, query: string) => {
    const measured: Gauge = new Gauge({
      name,
      help,
      registers: [metrics.registry],
      collect: async () => {
        const { rows } = await sql.raw<{ value: number }>(`select (${query})::float8 as value`).execute(postgres.systemDb);
        measured.set(rows[0]?.value ?? 0);
      },
    });
  };
  gauge(
    'settler_outbox_oldest_seconds',
    'Age of the oldest event that is not published.',
    'select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox',
  );
  gauge('settler_outbox_quarantined', 'Events that cannot be published.', 'select count(*) from outbox_quarantine');
  gauge('settler_dead_letters', 'Messages that were given up.', 'select count(*) from dead_letters');
};
