/** What waits to be sent, and for how long it could have been. */
import type { Measures } from '@settler/chassis/measures';

export const sending = {
  // The second is one step of the index of what is due. Of endpoints an organization has 500 at most.
  query: `select (select count(*) from deliveries where status = 'pending') as pending,
                 (select coalesce(greatest(extract(epoch from now() - min(next_attempt_at)), 0), 0)
                    from deliveries where status = 'pending') as oldest,
                 (select count(*) from endpoints where status = 'disabled') as disabled`,
  gauges: {
    pending: { name: 'settler_deliveries_pending', help: 'Deliveries that wait for their first or next attempt.', labels: [] },
    oldest: {
      name: 'settler_deliveries_due_oldest_seconds',
      help: 'How long ago the attempt was due that has been waiting longest; 0 where none is due.',
      labels: [],
    },
    disabled: { name: 'settler_endpoints_disabled', help: 'Endpoints that nothing is sent to until somebody enables them.', labels: [] },
  },
} as const satisfies Measures;
