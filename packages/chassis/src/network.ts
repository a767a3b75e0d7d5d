/** IP addresses and networks. An IPv4 address that is written as IPv6 is the IPv4 address, or lists could be walked around. */
import ipaddr from 'ipaddr.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [Address, number];

/** Strict spellings only: ipaddr.js would also read `0x7f.1` and `127`. */
export const parseAddress = (text: string): Address | undefined => {
  const address = text.replace(/%.*$/, '');
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address);
  return ipaddr.IPv6.isValid(address) ? ipaddr.process(address) : undefined;
};

/** An address is the network of itself alone. */
export const parseNetwork = (text: string): Network | undefined => {
  const read = readNetwork(text);
  return typeof read === 'string' ? undefined : read;
};

/** What is wrong with a network as it is written; undefined where nothing is. */
export const networkFault = (text: string): string | undefined => {
  const read = readNetwork(text);
  return typeof read === 'string' ? read : undefined;
};

const readNetwork = (text: string): Network | string => {
  const [addressText = '', prefixText, ...rest] = text.split('/');
  const address = addressText.includes('%') ? undefined : parseAddress(addressText);
  if (address === undefined || rest.length > 0) return 'must be an IP address or a range such as 192.0.2.0/24';
  const isIPv4 = address.kind() === 'ipv4';
  const bits = isIPv4 ? 32 : 128;
  if (prefixText === undefined) return [address, bits];
  // A mapped network counts its prefix in the 128 bits that it was written in.
  const before = isIPv4 && addressText.includes(':') ? 96 : 0;
  const prefix = /^(0|[1-9]\d{0,2})$/.test(prefixText) ? Number(prefixText) - before : Number.NaN;
  if (prefix >= 0 && prefix <= bits) return [address, prefix];
  const asIPv4 = before === 0 ? '' : `, because it is IPv4 that is written as IPv6: write ${address.toString()}, with its own length`;
  return `must have a length between ${before} and ${before + bits} after the slash${asIPv4}`;
};

export const isWithin = (address: Address, networks: readonly Network[]): boolean =>
  networks.some(([network, prefix]) => {
    if (address.kind() === 'ipv4') return network.kind() === 'ipv4' && (address as ipaddr.IPv4).match(network as ipaddr.IPv4, prefix);
    return network.kind() === 'ipv6' && (address as ipaddr.IPv6).match(network as ipaddr.IPv6, prefix);
  });

/**
 * What requests without credentials are counted under. Whoever has one IPv6 address has its 2^64 neighbours too, so those
 * count as one.
 */
export const networkOf = (address: string | null): string => {
  const parsed = address === null ? undefined : parseAddress(address);
  if (parsed === undefined) return 'unknown';
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return `${(parsed as ipaddr.IPv6).parts
    .slice(0, 4)
    .map((part) => part.toString(16))
    .join(':')}::/64`;
};
