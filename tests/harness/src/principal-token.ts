/** Tokens as one service shows them to another, for tests that call a service without the gateway. */
import { createInternalSigner } from '@settler/chassis/internal-token';
import type { PrincipalClaims } from '@settler/contracts/internal/principal';
import type { Service } from '@settler/contracts/services';
import type { KeyPair } from '@settler/local/services/secrets';

export interface TokenWanted {
  /** The service that the token is shown to. */
  readonly audience: Service;
  readonly issuer?: Service;
  readonly kind?: PrincipalClaims['kind'];
  readonly organizationId?: string | undefined;
  /** A user's or key's id. */
  readonly subject?: string;
  readonly scopes?: readonly string[];
  readonly role?: string | undefined;
  /** Of a key: the user who answers for it. */
  readonly ownerId?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly address?: string | undefined;
}

const someUser = 'usr_01jd0000000000000000000000';

export const signPrincipal = (keys: Readonly<Record<Service, KeyPair>>, wanted: TokenWanted): string => {
  const {
    audience,
    issuer = 'gateway',
    kind = 'user',
    organizationId,
    subject = someUser,
    scopes = ['*'],
    role,
    ownerId,
    sessionId,
    address,
  } = wanted;
  return createInternalSigner(
    issuer,
    keys[issuer].privateKey,
  )({
    aud: audience,
    sub: subject,
    kind,
    scopes: [...scopes],
    ...(organizationId === undefined ? {} : { org: organizationId }),
    ...(role === undefined ? {} : { role }),
    ...(ownerId === undefined ? {} : { own: ownerId }),
    ...(sessionId === undefined ? {} : { sid: sessionId }),
    ...(address === undefined ? {} : { ip: address }),
  });
};
