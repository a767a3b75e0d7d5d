import { isWithin, type Network, networkOf, parseAddress, parseNetwork } from '@settler/chassis/network';
import { describe, expect, test } from 'vitest';
import { createClientAddress } from '../../src/client-address.ts';

const networks = (...texts: string[]) => texts.map((text) => parseNetwork(text) as Network);
const within = (address: string, ...texts: string[]) => isWithin(parseAddress(address) as never, networks(...texts));

describe('addresses and networks', () => {
  test('an IPv4 address is the same however it is written', () => {
    for (const text of ['192.0.2.9', '::ffff:192.0.2.9', '::FFFF:c000:209', '0:0:0:0:0:ffff:192.0.2.9']) {
      expect(parseAddress(text)?.toString()).toBe('192.0.2.9');
      expect(within(text, '192.0.2.0/24')).toBe(true);
      expect(within(text, '::ffff:192.0.2.0/120')).toBe(true);
      expect(within(text, '::/0')).toBe(false);
    }
  });

  test('spellings that mean different things to different readers are no addresses', () => {
    for (const text of [
      '',
      '1',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '192.0.2.09',
      '1.2.3.4.5',
      '256.0.0.1',
      'localhost',
      ' 1.2.3.4',
      ':::',
    ]) {
      expect([text, parseAddress(text)]).toEqual([text, undefined]);
    }
    for (const text of [
      '1.2.3.4/33',
      '1.2.3.4/',
      '1.2.3.4/8/8',
      '::1/129',
      '1.2.3.4/+8',
      '::ffff:1.2.3.0/24',
      '1.2.3.4/-1',
      '1.2.3.0/024',
      'fe80::1%eth0',
    ]) {
      expect([text, parseNetwork(text)]).toEqual([text, undefined]);
    }
  });

  test('an address is the network of itself, and neighbours of a prefix are within it', () => {
    expect(within('203.0.113.7', '203.0.113.7')).toBe(true);
    expect(within('203.0.113.8', '203.0.113.7')).toBe(false);
    expect(within('2001:db8:1:2::3', '2001:db8:1::/48')).toBe(true);
    expect(within('2001:db8:2::3', '2001:db8:1::/48')).toBe(false);
    expect(within('198.51.100.1', '192.0.2.0/24', '0.0.0.0/0')).toBe(true);
    expect(within('fe80::1%eth0', 'fe80::/10')).toBe(true);
  });

  test('who has one IPv6 address is counted as one with its neighbours', () => {
    expect(networkOf('2001:db8:0:1:aaaa::1')).toBe('2001:db8:0:1::/64');
    expect(networkOf('2001:db8:0:1::2')).toBe(networkOf('2001:db8:0:1:ffff:ffff:ffff:ffff'));
    expect(networkOf('2001:db8:0:2::2')).not.toBe(networkOf('2001:db8:0:1::2'));
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1');
    expect(networkOf(null)).toBe('unknown');
  });
});

describe('the client’s address', () => {
  const behind = createClientAddress(networks('10.0.0.0/8', 'fd00::/8'));

  test('is that of the connection where no proxy is trusted', () => {
    const direct = createClientAddress([]);
    expect(direct('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(direct('::ffff:192.0.2.1', undefined)).toBe('192.0.2.1');
    expect(direct(undefined, '203.0.113.9')).toBeNull();
  });

  test('is what the last of the trusted proxies saw', () => {
    expect(behind('10.0.0.1', '203.0.113.9')).toBe('203.0.113.9');
    expect(behind('10.0.0.1', ['1.1.1.1', '203.0.113.9, 10.2.2.2'])).toBe('203.0.113.9');
    expect(behind('fd00::1', '2001:db8::9, fd00::2')).toBe('2001:db8::9');
    expect(behind('10.0.0.1', '10.9.9.9')).toBe('10.9.9.9');
    expect(behind('10.0.0.1', undefined)).toBe('10.0.0.1');
  });

  test('is not what somebody claims who is no trusted proxy', () => {
    expect(behind('192.0.2.1', '203.0.113.9')).toBe('192.0.2.1');
    expect(behind('10.0.0.1', '203.0.113.9, 192.0.2.1')).toBe('192.0.2.1');
  });

  test('is unknown where a trusted proxy passed nonsense on', () => {
    for (const text of ['', 'unknown', '_hidden', '203.0.113.9, ', 'localhost', '1.2.3.4:5:6', '[::1', '203.0.113.9:http']) {
      expect([text, behind('10.0.0.1', text)]).toEqual([text, null]);
    }
    // Behind an address that is known nobody has to be asked.
    expect(behind('10.0.0.1', 'nonsense, 203.0.113.9')).toBe('203.0.113.9');
  });
});
