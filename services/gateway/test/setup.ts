/** What the tests of the gateway have in common: a real gateway before a real identity, and stand-ins for the services behind. */
import { generateKeyPairSync } from 'node:crypto';
import { createInternalVerifier, type InternalVerifier } from '@settler/chassis/internal-token';
import type { PrincipalClaims } from '@settler/contracts/internal/principal';
import {
  type Answer,
  type Client,
  client,
  createIsland,
  type Island,
  type StartedService,
  type StartOptions,
  startReplica,
  startService,
  stopStartedServices,
  waitFor,
} from '@settler/harness';
import { type Arrived, type StandIn, startStandIn, stopStandIns } from './stand-in.ts';

type Settings = Readonly<Record<string, string>>;

export interface Person {
  readonly email: string;
  readonly userId: string;
  readonly organizationId: string;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

export interface Key {
  readonly id: string;
  readonly key: string;
}

export interface Door {
  readonly island: Island;
  readonly identity: StartedService;
  readonly gateway: StartedService;
  readonly url: string;
  readonly jobs: StandIn;
  readonly executions: StandIn;
  readonly webhooks: StandIn;
  /** Signs access tokens as identity does, for forging. */
  readonly signingKey: string;
  /** As identity itself is called, past the gateway and its limits. */
  readonly register: () => Promise<Person>;
  /** Accepts the invitation with this token. */
  readonly accept: (token: string) => Promise<Answer>;
  readonly createKey: (person: Person, body?: Record<string, unknown>) => Promise<Key>;
  readonly revokeKey: (person: Person, key: Key) => Promise<void>;
  readonly logOut: (person: Person) => Promise<void>;
  /** Another gateway, on a port of its own where none is named. */
  readonly startReplica: (settings?: Settings) => Promise<StartedService>;
  /** As identity itself is called for this person. */
  readonly calling: (person: Person) => Client;
  readonly as: (credentials: { token?: string; apiKey?: string }, url?: string) => Client;
  /** The claims of the internal token that arrived, once its signature and audience were verified. */
  readonly claimsOf: (arrived: Arrived, audience: 'jobs' | 'executions' | 'webhooks') => PrincipalClaims;
  readonly dispose: () => Promise<void>;
}

const password = 'a password of several words';
let people = 0;

/**
 * For how many milliseconds from `sinceMs` on requests are still taken: until the last of these was sent. How long it took to be answered, on
 * a machine that is busy, says nothing about who knew what.
 */
export const takenFor = async (isTaken: () => Promise<boolean>, sinceMs = performance.now()): Promise<number> => {
  let lastAtMs = sinceMs;
  const isRefused = async (): Promise<boolean> => {
    const askedAtMs = performance.now();
    if (!(await isTaken())) return true;
    lastAtMs = askedAtMs;
    return false;
  };
  await waitFor(isRefused, { what: 'it to be refused' });
  return lastAtMs - sinceMs;
};

export const claimsIn = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

type IdentitySettings = (island: Island) => Settings | Promise<Settings>;

const launchIdentity = async (settings: IdentitySettings, options: StartOptions = {}) => {
  const island = await createIsland();
  await island.provision('identity');
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const signingKey = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const environment = { JWT_PRIVATE_KEY: signingKey, LOG_LEVEL: 'debug', ...(await settings(island)) };
  return { island, signingKey, identity: await startService('identity', island.environmentFor('identity', environment), options) };
};

let shared: ReturnType<typeof launchIdentity> | undefined;

/** One for the doors of a worker, one after the other, until the run ends: whoever uses it leaves it running and reads no logs of it. */
const shareIdentity = () => {
  shared ??= launchIdentity(() => ({}), { endsWith: 'the run' });
  return shared;
};

/**
 * @param wanted settings that name a port are made for the island, whose own ports it has to be beside
 * @param ownIdentity settings of an identity that nobody else has
 */
export const startDoor = async (
  wanted: Settings | ((island: Island) => Promise<Settings>) = {},
  ownIdentity?: IdentitySettings,
): Promise<Door> => {
  const { island, signingKey, identity } = await (ownIdentity === undefined ? shareIdentity() : launchIdentity(ownIdentity));
  const settings = typeof wanted === 'function' ? await wanted(island) : wanted;
  const [jobs, executions, webhooks] = await Promise.all([startStandIn(), startStandIn(), startStandIn()]);
  const common: Settings = { JOBS_URL: jobs.url, EXECUTIONS_URL: executions.url, WEBHOOKS_URL: webhooks.url, UNREADY_MS: '0' };
  const environment = island.environmentFor('gateway', { ...common, ...settings });
  const gateway = await startService('gateway', environment);

  const called = (token: string) => client(identity.url, { token });
  const anonymous = () => called(island.principalToken({ audience: 'identity', kind: 'anonymous', scopes: [] }));
  const calling = ({ userId, organizationId, sessionId }: Person) =>
    called(island.principalToken({ audience: 'identity', subject: userId, organizationId, sessionId, role: 'owner' }));
  const verifiers = new Map<string, InternalVerifier>();
  const publicKeys = Object.fromEntries(
    (environment['SERVICE_PUBLIC_KEYS'] ?? '').split(',').map((pair) => pair.split(':', 2) as [string, string]),
  );

  return {
    island,
    identity,
    gateway,
    url: gateway.url,
    jobs,
    executions,
    webhooks,
    signingKey,
    register: async () => {
      people += 1;
      const email = `person-${people}@example.com`;
      const { status, body } = await anonymous().post('/v1/auth/register', { email, password, organizationName: `Firm ${people}` });
      if (status !== 201) throw new Error(`registration answered ${status}: ${JSON.stringify(body)}`);
      const { user, organization, accessToken, refreshToken } = body;
      const sessionId = String(claimsIn(accessToken)['sid']);
      return { email, userId: user.id, organizationId: organization.id, sessionId, accessToken, refreshToken };
    },
    accept: (token) => anonymous().post('/v1/invitations/accept', { token, password }),
    createKey: async (person, body = {}) => {
      const answer = await calling(person).post('/v1/api-keys', { name: 'a key', scopes: ['*'], ...body });
      if (answer.status !== 201) throw new Error(`the key was refused: ${JSON.stringify(answer.body)}`);
      return { id: answer.body.id, key: answer.body.key };
    },
    revokeKey: async (person, { id }) => {
      const { status } = await calling(person).delete(`/v1/api-keys/${id}`);
      if (status !== 204) throw new Error(`revoking answered ${status}`);
    },
    logOut: async (person) => {
      const { status } = await calling(person).post('/v1/auth/logout', { refreshToken: person.refreshToken });
      if (status !== 204) throw new Error(`logging out answered ${status}`);
    },
    startReplica: (overrides = {}) => startReplica(island, 'gateway', { ...common, ...settings, ...overrides }),
    calling,
    as: (credentials, url = gateway.url) => client(url, credentials),
    claimsOf: ({ headers }, audience) => {
      const verify = verifiers.get(audience) ?? createInternalVerifier(audience, publicKeys);
      verifiers.set(audience, verify);
      return verify((headers.authorization ?? '').replace(/^Bearer /, ''));
    },
    dispose: async () => {
      await (ownIdentity === undefined ? stopStartedServices() : island.dispose());
      await stopStandIns();
    },
  };
};
