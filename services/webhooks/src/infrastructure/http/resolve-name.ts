/**
 * The addresses of a name, asked of the name servers by this process. The system's own look-up waits in one of four threads, and there are
 * no more: where a few names have servers that say nothing, nobody's deliveries would go out.
 *
 * /etc/hosts counts before the servers, as it does for the system, so a name for development or of a container can stand there. The search
 * domains of /etc/resolv.conf count after the name as it stands, so that `receiver.shop.svc` is found in a cluster and nobody's public name
 * is another's. Both files are read when the service starts.
 */
import { Resolver } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';

export interface NameAddress {
  readonly address: string;
  readonly family: 4 | 6;
}

/** @throws Error where the name has no address, where no server answers, and once the signal is aborted */
export type ResolveName = (name: string, signal: AbortSignal) => Promise<readonly NameAddress[]>;

export interface NameSources {
  /** The text of /etc/hosts. */
  readonly hosts: string;
  /** The text of /etc/resolv.conf. Its servers are known to the resolver by itself. */
  readonly resolvConf: string;
  /** In place of those of /etc/resolv.conf. */
  readonly servers?: readonly string[];
}

const tryMs = 2_000;
const tries = 2;
const searchDomainsMax = 6;

export const createResolveName = ({ hosts, resolvConf, servers }: NameSources): ResolveName => {
  const known = addressesByName(hosts);
  const domains = searchDomains(resolvConf);

  return async (name, signal) => {
    const bare = name.toLowerCase().replace(/\.$/, '');
    const listed = known.get(bare);
    if (listed !== undefined) return listed;
    // Its own for each name: what is cancelled is all that a resolver has asked.
    const resolver = new Resolver({ timeout: tryMs, tries });
    if (servers !== undefined) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      for (const candidate of name.endsWith('.') ? [bare] : [bare, ...domains.map((domain) => `${bare}.${domain}`)]) {
        signal.throwIfAborted();
        const addresses = await ask(resolver, candidate);
        if (addresses.length > 0) return addresses;
      }
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    throw new Error('the name has no address');
  };
};

/** As this machine has them. */
export const systemNames = (): NameSources => ({ hosts: textOf('/etc/hosts'), resolvConf: textOf('/etc/resolv.conf') });

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // A container may have neither: then the servers alone say what there is.
  }
};

const wordsOf = (text: string): string[][] =>
  text.split('\n').flatMap((line) => {
    const words = (line.split(/[#;]/, 1)[0] ?? '').trim().split(/\s+/);
    return words.length < 2 ? [] : [words];
  });

const addressesByName = (hosts: string): ReadonlyMap<string, readonly NameAddress[]> => {
  const pairs = wordsOf(hosts).flatMap(([address = '', ...names]) => {
    const family = isIP(address);
    return family === 4 || family === 6 ? names.map((name) => ({ name: name.toLowerCase(), address, family }) as const) : [];
  });
  return new Map(
    [...Map.groupBy(pairs, ({ name }) => name)].map(([name, of]) => [name, of.map(({ address, family }) => ({ address, family }))]),
  );
};

/** The last line counts. */
const searchDomains = (resolvConf: string): readonly string[] => {
  const lines = wordsOf(resolvConf).filter(([word]) => word === 'search' || word === 'domain');
  return (lines.at(-1)?.slice(1) ?? []).slice(0, searchDomainsMax).map((domain) => domain.replace(/\.$/, ''));
};

const isNone = (reason: unknown): boolean =>
  reason instanceof Error && 'code' in reason && (reason.code === 'ENOTFOUND' || reason.code === 'ENODATA');

/** Empty where there is no such name. One kind of address is enough where the question for the other failed. */
const ask = async (resolver: Resolver, name: string): Promise<readonly NameAddress[]> => {
  const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)]);
  const [four, six] = answers.map((answer, index) =>
    answer.status === 'fulfilled' ? answer.value.map((address) => ({ address, family: index === 0 ? (4 as const) : (6 as const) })) : [],
  );
  const addresses = prefersSix() ? [...(six ?? []), ...(four ?? [])] : [...(four ?? []), ...(six ?? [])];
  const failed = answers.find((answer) => answer.status === 'rejected' && !isNone(answer.reason));
  if (addresses.length === 0 && failed?.status === 'rejected') throw failed.reason;
  return addresses;
};

/** Whether IPv6 is all that this machine has to the outside. */
const prefersSix = (): boolean => {
  const outside = Object.values(networkInterfaces()).flatMap((addresses) => addresses?.filter(({ internal }) => !internal) ?? []);
  return outside.length > 0 && outside.every(({ family }) => family === 'IPv6');
};
