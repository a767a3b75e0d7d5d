/** How far behind publishing is, and what was given up. */
import type { Measures } from './measures.ts';

export const messaging = {
  query: `select (select coalesce(extract(epoch from now() - min(created_at)), 0) from outbox) as oldest,
                 (select count(*) from outbox_quarantine) as quarantined,
                 (select count(*) from dead_letters) as dead_letters`,
  gauges: {
    oldest: { name: 'settler_outbox_oldest_seconds', help: 'Age of the oldest event that is not published.', labels: [] },
    quarantined: { name: 'settler_outbox_quarantined', help: 'Events that cannot be published.', labels: [] },
    dead_letters: { name: 'settler_dead_letters', help: 'Messages that were given up.', labels: [] },
  },
} as const satisfies Measures;
