/**
 * The client's address. X-Forwarded-For is believed only as far as proxies of ours wrote it: read from the right, the first
 * address that is not one of them is the client; everything left of it is what the client claims.
 */
import { type Address, isWithin, type Network, parseAddress } from './network.ts';

export type ClientAddress = (socketAddress: string | undefined, forwardedFor: string | string[] | undefined) => string | null;

/** The result is null where the address cannot be determined. */
export const createClientAddress =
  (trustedProxies: readonly Network[]): ClientAddress =>
  (socketAddress, forwardedFor) => {
    const socket = parseAddress(socketAddress ?? '');
    if (socket === undefined) return null;
    if (trustedProxies.length === 0 || forwardedFor === undefined || !isWithin(socket, trustedProxies)) return socket.toString();
    let nearest: Address = socket;
    for (const entry of [forwardedFor].flat().join(',').split(',').reverse()) {
      const address = parseEntry(entry.trim());
      // A trusted proxy that passed nonsense on tells us nothing about who is behind it.
      if (address === undefined) return null;
      nearest = address;
      if (!isWithin(address, trustedProxies)) break;
    }
    return nearest.toString();
  };

/** Some proxies write the port too: `192.0.2.1:5123`, `[2001:db8::1]:5123`. */
const parseEntry = (entry: string): Address | undefined =>
  parseAddress(entry) ?? parseAddress(/^\[([^\]]+)\](?::\d+)?$/.exec(entry)?.[1] ?? /^([\d.]+):\d+$/.exec(entry)?.[1] ?? '');
