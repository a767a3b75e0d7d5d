/** Names are asked of a server of the tests' own, which is silent about some. */
import { createSocket, type Socket } from 'node:dgram';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createResolveName } from '../src/infrastructure/http/resolve-name.ts';

const addresses: Readonly<Record<string, readonly string[]>> = {
  'fast.test': ['192.0.2.1', '192.0.2.2'],
  'both.test': ['192.0.2.3', '2001:db8::3'],
  'six.test': ['2001:db8::4'],
  'receiver.shop.svc.cluster.test': ['192.0.2.5'],
};

let server: Socket;
const asked: string[] = [];

const nameOf = (question: Buffer): string => {
  const labels: string[] = [];
  for (let at = 12; question[at] !== 0; at += 1 + (question[at] ?? 0))
    labels.push(question.subarray(at + 1, at + 1 + (question[at] ?? 0)).toString());
  return labels.join('.');
};
const bytesOf = (address: string): Buffer =>
  address.includes(':') ? Buffer.from(`20010db8${'0'.repeat(23)}${address.slice(-1)}`, 'hex') : Buffer.from(address.split('.').map(Number));

/** A message of RFC 1035 with the addresses of the kind that was asked for; "no such name" where there are none of either. */
const answerTo = (question: Buffer, name: string): Buffer => {
  const end = 12 + name.length + 2;
  const isSix = question.readUInt16BE(end) === 28;
  const those = (addresses[name] ?? []).filter((address) => address.includes(':') === isSix).map(bytesOf);
  const header = Buffer.alloc(12);
  header.writeUInt16BE(question.readUInt16BE(0), 0);
  header.writeUInt16BE(name in addresses ? 0x8180 : 0x8183, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(those.length, 6);
  const records = those.map((bytes) => {
    const fixed = Buffer.from([0xc0, 12, 0, isSix ? 28 : 1, 0, 1, 0, 0, 0, 60, 0, bytes.length]);
    return Buffer.concat([fixed, bytes]);
  });
  return Buffer.concat([header, question.subarray(12, end + 4), ...records]);
};

beforeAll(async () => {
  server = createSocket('udp4');
  server.on('message', (question, { port, address }) => {
    const name = nameOf(question);
    asked.push(name);
    if (!name.endsWith('.silent.test')) server.send(answerTo(question, name), port, address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

const resolveName = (name: string, signal = new AbortController().signal, sources = { hosts: '', resolvConf: '' }) =>
  createResolveName({ ...sources, servers: [`127.0.0.1:${server.address().port}`] })(name, signal);

describe('a name', () => {
  test('has all addresses of both kinds, those first that this machine reaches', async () => {
    expect(await resolveName('fast.test')).toEqual([
      { address: '192.0.2.1', family: 4 },
      { address: '192.0.2.2', family: 4 },
    ]);
    expect(new Set(await resolveName('Both.test.'))).toEqual(
      new Set([
        { address: '192.0.2.3', family: 4 },
        { address: '2001:db8::3', family: 6 },
      ]),
    );
    expect(await resolveName('six.test')).toEqual([{ address: '2001:db8::4', family: 6 }]);
    await expect(resolveName('nobody.test')).rejects.toThrow('the name has no address');
  });

  test('is found while the servers of many others say nothing, and those end with their attempt', async () => {
    const ending = new AbortController();
    const silent = Array.from({ length: 24 }, (_, at) => resolveName(`h${at}.silent.test`, ending.signal));
    const over = Promise.allSettled(silent);
    expect(await resolveName('fast.test')).toHaveLength(2);
    let ended = 0;
    for (const each of silent) each.catch(() => (ended += 1));
    await Promise.resolve();
    expect(ended).toBe(0);
    ending.abort();
    expect((await over).every(({ status }) => status === 'rejected')).toBe(true);
  });

  test('that stands in the hosts file is not asked for', async () => {
    asked.length = 0;
    const hosts =
      '127.0.0.1 localhost\n# 192.0.2.9 not.test\n192.0.2.7\tOurs.test alias  # for development\n2001:db8::7 ours.test\nnonsense x\n';
    const ask = (name: string) => resolveName(name, undefined, { hosts, resolvConf: '' });
    expect(await ask('ours.test')).toEqual([
      { address: '192.0.2.7', family: 4 },
      { address: '2001:db8::7', family: 6 },
    ]);
    expect(await ask('ALIAS.')).toEqual([{ address: '192.0.2.7', family: 4 }]);
    expect(asked).toEqual([]);
    await expect(ask('not.test')).rejects.toThrow('the name has no address');
    await expect(ask('x')).rejects.toThrow('the name has no address');
  });

  test('is looked for in the search domains where there is none as it stands', async () => {
    const sources = {
      hosts: '',
      resolvConf: 'domain old.test\nsearch shop.svc.cluster.test svc.cluster.test cluster.test.\noptions ndots:5',
    };
    const found = [{ address: '192.0.2.5', family: 4 }];
    for (const name of ['receiver', 'receiver.shop', 'receiver.shop.svc'])
      expect(await resolveName(name, undefined, sources)).toEqual(found);
    await expect(resolveName('receiver.shop.', undefined, sources)).rejects.toThrow('the name has no address');
    asked.length = 0;
    await resolveName('fast.test', undefined, sources);
    expect(new Set(asked)).toEqual(new Set(['fast.test']));
  });
});
