/**
 * The tokens that services believe: who asks, for one audience, from one address. Signing costs more than forwarding, so each is
 * kept for half of its life; for a caller as long as that caller's object lives, so that new rights never meet an old token.
 */
import type { InternalSigner } from '@settler/chassis/internal-token';
import type { StatefulService } from '@settler/contracts/services';
import { LRUCache } from 'lru-cache';
import type { Caller } from './caller.ts';

export type PrincipalTokenFor = (caller: Caller | null, audience: StatefulService, address: string | null) => string;

const keptMs = 30_000;
const keptPerCallerMax = 50;
const keptAnonymousMax = 10_000;

export const createPrincipalTokens = (sign: InternalSigner): PrincipalTokenFor => {
  const ofCallers = new WeakMap<Caller, LRUCache<string, string>>();
  const anonymous = new LRUCache<string, string>({ max: keptAnonymousMax, ttl: keptMs });

  const tokensOf = (caller: Caller): LRUCache<string, string> => {
    const known = ofCallers.get(caller);
    if (known !== undefined) return known;
    const tokens = new LRUCache<string, string>({ max: keptPerCallerMax, ttl: keptMs });
    ofCallers.set(caller, tokens);
    return tokens;
  };

  return (caller, audience, address) => {
    const tokens = caller === null ? anonymous : tokensOf(caller);
    const place = `${audience} ${address}`;
    const known = tokens.get(place);
    if (known !== undefined) return known;
    const token = sign({ aud: audience, ...principalOf(caller), ...(address === null ? {} : { ip: address }) });
    tokens.set(place, token);
    return token;
  };
};

const principalOf = (caller: Caller | null) =>
  caller === null
    ? { sub: 'anonymous', kind: 'anonymous' as const, scopes: [] }
    : {
        sub: caller.id,
        kind: caller.kind,
        org: caller.organizationId,
        scopes: [...caller.scopes],
        ...(caller.role === undefined ? {} : { role: caller.role }),
        ...(caller.ownerId === undefined ? {} : { own: caller.ownerId }),
        ...(caller.sessionId === undefined ? {} : { sid: caller.sessionId }),
      };
