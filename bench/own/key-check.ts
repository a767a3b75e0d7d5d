/** What a request pays for its API key once the key is known: the kept verdict is found, and counts because revocations are followed. */
import { createHmac, randomBytes } from 'node:crypto';
import { createApiKeys } from '../../services/gateway/src/authentication/api-keys.ts';
import { createAuthenticate } from '../../services/gateway/src/authentication/authenticate.ts';
import { writeApiKey } from '../../services/identity/src/domain/api-key-text.ts';
import { collectGarbage, report, timed } from '../measure/sample.ts';

const calls = 300_000;

const secret = randomBytes(32);
const isNeverAsked = (): never => {
  throw new Error('nobody is asked about a key that is known');
};
const identity = {
  verifyApiKey: async () => ({
    valid: true as const,
    apiKeyId: 'key_1',
    organizationId: 'org_1',
    scopes: ['jobs:read'],
    rateLimit: null,
    allowedIps: [],
    expiresAt: null,
    ownerId: null,
  }),
  isSessionActive: isNeverAsked,
  revocationsAfter: isNeverAsked,
  keySet: isNeverAsked,
  close: isNeverAsked,
};
const authenticate = createAuthenticate({
  identity,
  revocations: {
    isFresh: () => true,
    isFollowed: () => true,
    lastAskedAtMs: () => performance.now(),
    isRevoked: () => false,
    stop: () => {},
  },
  apiKeys: createApiKeys(identity, secret),
  verifyAccessToken: isNeverAsked,
  freshMs: 900,
  graceMs: 0,
  askAgainTimeoutMs: 300,
});
const hmac = (text: string) => createHmac('sha256', secret).update(text).digest();
const credential = { kind: 'apiKey' as const, key: writeApiKey(randomBytes(9), randomBytes(32), hmac).key };
const connection = {};
await authenticate(credential, '127.0.0.1', connection);

const round = async (): Promise<number> => {
  collectGarbage();
  const { cpuMs } = await timed(async () => {
    for (let call = 0; call < calls; call += 1) await authenticate(credential, '127.0.0.1', connection);
  });
  return (cpuMs * 1_000) / calls;
};
await round();
report({ values: { microseconds: await round() } });
