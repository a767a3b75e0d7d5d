import { must, type Party } from '../party.ts';
import { type Cases, invalid } from './case.ts';

const endpoint = { url: 'http://127.0.0.1:9/nobody', events: ['*'] };
const newWebhook = async ({ key }: Party): Promise<string> => (await must(201, key.post('/v1/webhooks', endpoint))).id;

export const webhooksCases = {
  createWebhook: {
    status: 201,
    ask: () => ({ path: '/v1/webhooks', body: endpoint }),
    otherBody: (body) => ({ ...body, url: 'http://127.0.0.1:9/somebody' }),
    refusals: [
      invalid('an address inside of networks that are not public', 'url', () => ({
        path: '/v1/webhooks',
        body: { ...endpoint, url: 'http://10.0.0.1/' },
      })),
      invalid('an event that does not exist', 'events[0]', () => ({ path: '/v1/webhooks', body: { ...endpoint, events: ['moon.full'] } })),
    ],
  },
  listWebhooks: { status: 200, ask: () => ({ path: '/v1/webhooks' }) },
  readWebhook: { status: 200, ask: ({ webhookId }) => ({ path: `/v1/webhooks/${webhookId}` }) },
  updateWebhook: {
    status: 200,
    ask: async (party) => ({ path: `/v1/webhooks/${await newWebhook(party)}`, body: { status: 'paused' } }),
    otherBody: () => ({ description: 'otherwise' }),
    refusals: [
      invalid('no change', '', ({ ours }) => ({ path: `/v1/webhooks/${ours.webhookId}`, body: {} })),
      invalid('an address that is none', 'url', ({ ours }) => ({ path: `/v1/webhooks/${ours.webhookId}`, body: { url: 'nowhere' } })),
    ],
  },
  deleteWebhook: { status: 204, ask: async (party) => ({ path: `/v1/webhooks/${await newWebhook(party)}` }) },
  listDeliveries: {
    status: 200,
    ask: ({ webhookId }) => ({ path: `/v1/webhooks/${webhookId}/deliveries` }),
    refusals: [
      invalid('a status that no delivery has', 'status', ({ ours }) => ({ path: `/v1/webhooks/${ours.webhookId}/deliveries?status=lost` })),
    ],
  },
  readDelivery: { status: 200, ask: ({ deliveryId }) => ({ path: `/v1/deliveries/${deliveryId}` }) },
  listEventTypes: { status: 200, ask: () => ({ path: '/v1/event-types' }), isFromMemory: true },
} satisfies Cases;
