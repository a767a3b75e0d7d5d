/**
 * Every address that a user gives us goes through here. The name is resolved, every address of it must be public or allowed by the
 * operator, and the connection is made to the very address that was checked, so that a name cannot change its mind in between.
 */
import ipaddr from 'ipaddr.js';
import type { NameAddress, ResolveName } from './resolve-name.ts';

export interface AddressGuard {
  /** What is wrong with the URL as it stands, before any look-up; undefined when nothing is. */
  readonly refusalOf: (url: string) => string | undefined;
  /** Resolves and checks. @throws Error with the reason */
  readonly resolve: (url: URL, signal: AbortSignal) => Promise<NameAddress>;
}

export interface AddressGuardOptions {
  /** CIDRs that are allowed although they are not public. */
  readonly allow: readonly string[];
  /** Ports that are never allowed: Settler's own. */
  readonly ownPorts: readonly number[];
  /** Every address of a name. */
  readonly lookup: ResolveName;
}

const portOf = (url: URL): number => Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
const literalOf = (url: URL): string | undefined => {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return ipaddr.isValid(host) ? host : undefined;
};

/** As it stands in the text, without port. */
const writtenHost = (text: string): string | undefined => /^https?:\/\/(\[[^\]]*\]|[^/?#:]*)/i.exec(text)?.[1]?.toLowerCase();

/** Of IPv6 nothing else was ever given out. What the parser calls unicast is more: `::10.0.0.1`, `100:0:0:1::1`, `4000::1`. */
const givenOut = ipaddr.parseCIDR('2000::/3');
const isGivenOut = (address: ipaddr.IPv4 | ipaddr.IPv6): boolean => address.kind() === 'ipv4' || address.match(...givenOut);

export const createAddressGuard = ({ allow, ownPorts, lookup }: AddressGuardOptions): AddressGuard => {
  const ranges = allow.map((cidr) => ipaddr.parseCIDR(cidr));
  const allowsNetworks = ranges.some(([network]) => network.range() !== 'loopback');

  const isAllowed = (text: string): boolean => {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    // Only plain unicast counts as public: not private, loopback, link-local, mapped, NAT64, 6to4, documentation or multicast.
    if (address.range() === 'unicast' && isGivenOut(address)) return true;
    return ranges.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
  };

  const refusalOf = (text: string): string | undefined => {
    // The parser drops spaces and line breaks, turns a backslash into a slash, and guesses what is missing.
    if (!URL.canParse(text) || !/^https?:\/\/[^\s\\]+$/i.test(text))
      return 'must be an http or https URL, such as https://example.com/hook';
    const url = new URL(text);
    if (url.username !== '' || url.password !== '') return 'must not hold credentials; use a header';
    if (url.hash !== '') return 'must not have a fragment';
    // The parser turns 0x7f.1, 2130706433 and the like into dotted addresses; someone who writes them has something to hide.
    if (literalOf(url) !== undefined && writtenHost(text) !== url.hostname) return 'must write the address in its usual form';
    if (url.port === '0') return 'must not be port 0';
    // Whatever the name stands for: it may be anything tomorrow.
    if (ownPorts.includes(portOf(url))) return `must not have port ${portOf(url)}, which is one of Settler’s own`;
    const literal = literalOf(url);
    if (literal !== undefined && !isAllowed(literal)) return 'must be a public address';
    if (/(^|\.)localhost\.?$/.test(url.hostname)) return 'must be a public address';
    // In networks that the operator allows these are ordinary names, such as `receiver.tools.svc.cluster.local`; what they stand for is checked.
    if (!allowsNetworks && /(^|\.)(local|internal)\.?$/.test(url.hostname)) return 'must be a public address';
    return undefined;
  };

  return {
    refusalOf,
    resolve: async (url, signal) => {
      const refusal = refusalOf(url.href);
      if (refusal !== undefined) throw new Error(`the address ${refusal}`);
      const literal = literalOf(url);
      if (literal !== undefined) return { address: literal, family: ipaddr.parse(literal).kind() === 'ipv6' ? 6 : 4 };
      const addresses = await lookup(url.hostname, signal);
      const [first] = addresses;
      if (first === undefined || !addresses.every(({ address }) => isAllowed(address))) throw new Error('the address is not public');
      return first;
    },
  };
};
