/**
 * The client's address. X-Forwarded-For is believed only as far as proxies of ours wrote it: read from the right, the first
 * address that is not one of them is the client; everything left of it is what the client claims.
 */

import { type Address, isWithin, type Network, parseAddress } from '@settler/chassis/network';
import { LRUCache } from 'lru-cache';

export type ClientAddress = (socketAddress: string | undefined, forwardedFor: string | string[] | undefined) => string | null;

interface Peer {
  readonly address: Address;
  readonly text: string;
  readonly isTrusted: boolean;
}

/** Whoever has one connection to us asks again and again. */
const peersMax = 10_000;

/** The result is null where the address cannot be determined. */
export const createClientAddress = (trustedProxies: readonly Network[]): ClientAddress => {
  const peers = new LRUCache<string, Peer>({ max: peersMax });
  const peerOf = (socketAddress: string): Peer | undefined => {
    const known = peers.get(socketAddress);
    if (known !== undefined) return known;
    const address = parseAddress(socketAddress);
    if (address === undefined) return undefined;
    const peer = { address, text: address.toString(), isTrusted: isWithin(address, trustedProxies) };
    peers.set(socketAddress, peer);
    return peer;
  };

  return (socketAddress, forwardedFor) => {
    const peer = peerOf(socketAddress ?? '');
    if (peer === undefined) return null;
    if (forwardedFor === undefined || !peer.isTrusted) return peer.text;
    let nearest = peer.address;
    for (const entry of [forwardedFor].flat().join(',').split(',').reverse()) {
      const address = parseEntry(entry.trim());
      // A trusted proxy that passed nonsense on tells us nothing about who is behind it.
      if (address === undefined) return null;
      nearest = address;
      if (!isWithin(address, trustedProxies)) break;
    }
    return nearest.toString();
  };
};

/** Some proxies write the port too: `192.0.2.1:5123`, `[2001:db8::1]:5123`. */
const parseEntry = (entry: string): Address | undefined =>
  parseAddress(entry) ?? parseAddress(/^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? '');
