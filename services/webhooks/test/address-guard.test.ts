/** What the names of endpoints resolve to, whatever they are and whenever they change. */
import { describe, expect, test } from 'vitest';
import { createAddressGuard } from '../src/infrastructure/http/address-guard.ts';

const guardFor = (addresses: readonly string[], allow: readonly string[] = []) => {
  const asked: string[] = [];
  const guard = createAddressGuard({
    allow,
    ownPorts: [7070],
    lookup: async (name) => {
      asked.push(name);
      return addresses.map((address) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) }));
    },
  });
  return { asked, resolve: (url: string) => guard.resolve(new URL(url), new AbortController().signal), refusalOf: guard.refusalOf };
};

describe('a name', () => {
  test('that resolves to public addresses is connected to at the first of them', async () => {
    const { resolve } = guardFor(['93.184.216.34', '2606:4700::1111']);
    expect(await resolve('https://example.com/hook')).toEqual({ address: '93.184.216.34', family: 4 });
  });

  test.each([
    [['127.0.0.1']],
    [['10.0.0.1']],
    [['169.254.169.254']],
    [['93.184.216.34', '10.0.0.1']],
    [['2606:4700::1111', '::1']],
    [['::ffff:10.0.0.1']],
    [['::ffff:93.184.216.34']],
    [['::10.0.0.1']],
    [['64:ff9b::a00:1']],
    [['fe80::1%lo']],
    [['100:0:0:1::1']],
    [['nonsense']],
    [[]],
  ])('that resolves to %j is refused', async (addresses) => {
    await expect(guardFor(addresses).resolve('https://example.com/hook')).rejects.toThrow('the address is not public');
  });

  test('may resolve to what the operator allows, and not to the neighbours of it', async () => {
    expect(await guardFor(['127.0.0.9'], ['127.0.0.0/8']).resolve('http://hooks.example/')).toEqual({ address: '127.0.0.9', family: 4 });
    await expect(guardFor(['::ffff:127.0.0.9'], ['127.0.0.0/8']).resolve('http://hooks.example/')).rejects.toThrow('not public');
  });

  test('that is an address is not looked up', async () => {
    const { resolve, asked } = guardFor([], ['127.0.0.0/8', '::1/128']);
    expect(await resolve('http://127.0.0.9:8000/')).toEqual({ address: '127.0.0.9', family: 4 });
    expect(await resolve('http://[::1]/')).toEqual({ address: '::1', family: 6 });
    await expect(resolve('http://10.0.0.1/')).rejects.toThrow('must be a public address');
    expect(asked).toEqual([]);
  });

  test('of a network of one’s own counts where the operator allows addresses of one, and by what it resolves to', async () => {
    for (const url of ['http://receiver.tools.svc.cluster.local/', 'http://host.docker.internal/']) {
      expect(await guardFor(['10.1.2.3'], ['10.0.0.0/8']).resolve(url)).toEqual({ address: '10.1.2.3', family: 4 });
      await expect(guardFor(['192.168.0.1'], ['10.0.0.0/8']).resolve(url)).rejects.toThrow('the address is not public');
      // This machine is no network.
      await expect(guardFor(['10.1.2.3'], ['127.0.0.0/8', '::1/128']).resolve(url)).rejects.toThrow('must be a public address');
    }
    await expect(guardFor(['10.1.2.3'], ['10.0.0.0/8']).resolve('http://a.localhost/')).rejects.toThrow('must be a public address');
  });

  test('is not even looked up where its port is one of ours, or where it is local by its name', async () => {
    for (const url of ['http://hooks.example:7070/', 'http://a.localhost/', 'http://x.internal./']) {
      const { resolve, asked } = guardFor(['93.184.216.34']);
      await expect(resolve(url)).rejects.toThrow('the address must');
      expect(asked).toEqual([]);
    }
    // Whoever makes the endpoint is told so at once.
    expect(guardFor([]).refusalOf('https://hooks.example:7070/')).toBe('must not have port 7070, which is one of Settler’s own');
    expect(guardFor([]).refusalOf('https://hooks.example/')).toBeUndefined();
  });
});
