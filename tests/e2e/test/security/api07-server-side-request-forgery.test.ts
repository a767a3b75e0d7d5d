/** API7:2023. What a name resolves to is looked at by the guard, whose own test is services/webhooks/test/address-guard.test.ts. */
import { services } from '@settler/contracts/services';
import { type Island, sharedSystem } from '@settler/harness';
import { beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../src/party.ts';
import { type Attack, attack } from '../../src/security/attack.ts';

let world: Attack;
let island: Island;
let webhookId: string;

beforeAll(async () => {
  world = await attack();
  ({ island } = await sharedSystem());
  ({ id: webhookId } = await must(201, world.ours.key.post('/v1/webhooks', { url: 'http://127.0.0.1:9/', events: ['job.archived'] })));
});

// This installation lets endpoints be on 127.0.0.0/8 and ::1; everything else that is not public stays closed to it.
const closed = [
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.0.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://192.0.0.1/',
  'http://192.0.2.1/',
  'http://192.88.99.1/',
  'http://198.18.0.1/',
  'http://203.0.113.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://0.0.0.0/',
  'http://0/',
  'http://0x0a000001/',
  'http://012.0.0.1/',
  'http://0xa.0.0.1/',
  'http://10.1/',
  'http://167772161/',
  'http://10.0.0.1./',
  'http://%31%30.0.0.1/',
  'http://１０.0.0.1/',
  'http://10。0。0。1/',
  'http://127.1/',
  'http://127.0.0.1./',
  'http://0177.0.0.1/',
  'http://0x7f000001/',
  'http://[::]/',
  'http://[::ffff:10.0.0.1]/',
  'http://[::ffff:a00:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::10.0.0.1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:0:10.0.0.1]/',
  'http://[64:ff9b::10.0.0.1]/',
  'http://[64:ff9b:1::a00:1]/',
  'http://[2002:a00:1::]/',
  'http://[2001::1]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[ff02::1]/',
  'http://[100::1]/',
  'http://[100:0:0:1::1]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[5f00::1]/',
  'http://[4000::1]/',
  'http://[1::1]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://ⓛocalhost/',
  'http://a.localhost/',
  'http://metadata.google.internal/',
  'http://printer.local/',
  'http://[fe80::1%25lo]/',
  'http://10.0.0.1@example.com/',
  'http://example.com@10.0.0.1/',
  'http://example.com#@10.0.0.1/',
  'http://10.0.0.1\\@example.com/',
  'http:10.0.0.1',
  'http:///10.0.0.1/',
  'http://10.0.0.1\t/',
  '//10.0.0.1/',
  'file:///etc/passwd',
  'gopher://127.0.0.1:6379/_PING',
  'dict://127.0.0.1:11211/',
  'ftp://127.0.0.1/',
  'unix:///var/run/docker.sock',
  'data:text/plain,x',
  'javascript:alert(1)',
  'nats://127.0.0.1:4222/',
  'postgres://127.0.0.1:5432/',
];

test('no endpoint is made at, or moved to, an address that is not for it, in any spelling', async () => {
  const { key } = world.ours;
  const open: string[] = [];
  for (const url of closed) {
    const created = await key.post('/v1/webhooks', { url, events: ['*'] });
    const moved = await key.patch(`/v1/webhooks/${webhookId}`, { url });
    for (const { status, body } of [created, moved])
      if (status !== 400 || body.errors?.[0]?.path !== 'url') open.push(`${url} answered ${status} ${JSON.stringify(body.errors)}`);
  }
  expect(open).toEqual([]);
});

describe("Settler's own", () => {
  test('ports are no endpoint, whichever loopback address and path they are written with', async () => {
    const ports = services.map((service) => new URL(island.serviceUrl(service)).port);
    const { host, port } = island.databaseConfig('jobs', 'app');
    const open: string[] = [];
    for (const place of [...ports, String(port), new URL(island.brokerUrl('jobs')).port]) {
      for (const address of ['127.0.0.1', '127.255.255.254', '[::1]']) {
        const { status } = await world.ours.key.post('/v1/webhooks', { url: `http://${address}:${place}/internal/jobs`, events: ['*'] });
        if (status !== 400) open.push(`${address}:${place} answered ${status}`);
      }
    }
    expect(host).toBeDefined();
    expect(open).toEqual([]);
  });
});

test('nothing else that is sent makes a service ask somebody: addresses in texts stay texts', async () => {
  const { key } = world.ours;
  const url = 'http://169.254.169.254/latest/meta-data/';
  const { body } = await key.patch('/v1/organization', { name: url });
  expect(body.name).toBe(url);
  for (const [config, path] of [
    [{ fields: { id: 'Id' }, fileId: url }, 'source.config.fileId'],
    [{ fields: { id: 'Id' }, url }, 'source.config.url'],
  ] as const) {
    const answer = await key.post('/v1/jobs', {
      name: 'reads elsewhere',
      source: { adapter: 'csv', config },
      target: { adapter: 'records', config: {} },
      rules: { matching: [{ field: 'reference', type: 'exact' }] },
    });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ path }] } });
  }
});
