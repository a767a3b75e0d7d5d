/** The service itself, where it does what nobody asked for in a request. `id`: which part of it. */
import type { Actor } from './ports.ts';

export const systemActor = (id: 'executions' | 'schedule', organizationId: string): Actor => ({
  principal: {
    kind: 'system',
    id,
    organizationId,
    scopes: [],
    role: undefined,
    sessionId: undefined,
    personId: null,
    address: null,
  },
  address: null,
});
