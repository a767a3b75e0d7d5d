/** What the tests of this service have in common: an island with identity on it, and people who are registered there. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
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
} from '@settler/harness';
import pg from 'pg';

export const password = 'a password of several words';

export interface Person {
  readonly email: string;
  readonly userId: string;
  readonly organizationId: string;
  readonly sessionId: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  /** As the gateway would call for this person. */
  readonly api: Client;
}

// biome-ignore lint/suspicious/noExplicitAny: tests read rows of many shapes, and each asserts the one it expects.
type Row = any;

export interface Identity {
  readonly island: Island;
  readonly service: StartedService;
  /** As the gateway calls for somebody who is not logged in, from `address`. */
  readonly anonymous: (address?: string) => Client;
  /** Another process on the same database, called for somebody who is not logged in. */
  readonly replica: (settings?: Record<string, string>) => Promise<Client>;
  /** As the gateway calls for itself. */
  readonly gateway: Client;
  readonly as: (who: Partial<Parameters<Island['principalToken']>[0]>) => Client;
  /** A key of somebody's, and how the gateway calls for it. */
  readonly keyOf: (person: Pick<Person, 'api' | 'organizationId'>, scopes?: string[]) => Promise<{ id: string; api: Client }>;
  readonly register: (body?: Record<string, unknown>) => Promise<Person>;
  /** Somebody who registered elsewhere and is a member here too. */
  readonly member: (here: Pick<Person, 'organizationId'>, role: string) => Promise<Person>;
  readonly database: (user: 'app' | 'system' | 'admin' | 'owner') => Promise<pg.Client>;
  /** What a statement finds, as the server's administrator, on a connection of its own. */
  readonly rows: (statement: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** What a command of the operator's says: on standard output, or where it refuses on the other. */
  readonly operate: (
    command: readonly string[],
    settings?: Record<string, string>,
  ) => Promise<{ readonly code: number; readonly said: string }>;
  readonly dispose: () => Promise<void>;
}

const program = fileURLToPath(new URL('../src/operate.ts', import.meta.url));
let people = 0;

export const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;

const launch = async (settings: Record<string, string> = {}, options: StartOptions = {}) => {
  const island = await createIsland();
  await island.provision('identity');
  return { island, service: await startService('identity', island.environmentFor('identity', settings), options) };
};

type Launched = Awaited<ReturnType<typeof launch>>;

/** A service of one's own, to be killed or given settings and other keys. */
export const startIdentity = async (settings: Record<string, string> = {}): Promise<Identity> => {
  const launched = await launch(settings);
  return identityOf(launched, launched.island.dispose);
};

let shared: Promise<Launched> | undefined;

/**
 * One service for the test files of a worker, one after the other, until the run ends: starting it costs more than most of what is
 * tested on it. Whoever uses it has organizations and addresses of its own, and leaves it running.
 */
export const shareIdentity = async (): Promise<Identity> => {
  shared ??= launch({}, { endsWith: 'the run' });
  return identityOf(await shared, async () => {});
};

const identityOf = ({ island, service }: Launched, dispose: () => Promise<void>): Identity => {
  const connections: pg.Client[] = [];
  const calling = (url: string, who: Parameters<Identity['as']>[0]) =>
    client(url, { token: () => island.principalToken({ audience: 'identity', ...who }) });
  const nobody = { kind: 'anonymous', scopes: [] } as const;
  const as: Identity['as'] = (who) => calling(service.url, who);
  const anonymous = (address?: string) => as({ ...nobody, address });

  const personOf = (email: string, answer: Answer): Person => {
    if (answer.status !== 201) throw new Error(`registration answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    const { user, organization, accessToken, refreshToken } = answer.body;
    const sessionId = String(claimsOf(accessToken)['sid']);
    const who = { subject: user.id, organizationId: organization.id, role: 'owner', sessionId };
    return { email, userId: user.id, organizationId: organization.id, sessionId, accessToken, refreshToken, api: as(who) };
  };

  const register: Identity['register'] = async (body = {}) => {
    people += 1;
    const email = `person-${people}@example.com`;
    return personOf(email, await anonymous().post('/v1/auth/register', { email, password, organizationName: `Firm ${people}`, ...body }));
  };
  const database: Identity['database'] = async (user) => {
    const connection = new pg.Client(island.databaseConfig('identity', user));
    // Whatever is still open when the database is dropped is cut off; nothing waits for it.
    connection.on('error', () => {});
    await connection.connect();
    connections.push(connection);
    return connection;
  };

  return {
    island,
    service,
    anonymous,
    replica: async (settings) => calling((await startReplica(island, 'identity', settings)).url, nobody),
    gateway: as({ kind: 'system', scopes: [] }),
    as,
    keyOf: async ({ api, organizationId }, scopes = ['*']) => {
      const { status, body } = await api.post('/v1/api-keys', { name: 'of a test', scopes });
      if (status !== 201) throw new Error(`a key was answered with ${status}: ${JSON.stringify(body)}`);
      return { id: body.id, api: as({ kind: 'apiKey', subject: body.id, organizationId, ownerId: body.ownerId, scopes }) };
    },
    register,
    member: async ({ organizationId }, role) => {
      const person = await register();
      const admin = await database('admin');
      await admin.query('insert into memberships (organization_id, user_id, role, created_at) values ($1, $2, $3, now())', [
        organizationId,
        person.userId,
        role,
      ]);
      return person;
    },
    database,
    rows: async (statement, values = []) => (await (await database('admin')).query(statement, [...values])).rows,
    operate: async (command, settings = {}) => {
      const env = { ...process.env, ...island.environmentFor('identity', settings) };
      try {
        const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=@settler/source', program, ...command], { env });
        return { code: 0, said: stdout };
      } catch (error) {
        const { code, stderr } = error as { code: number; stderr: string };
        return { code, said: stderr };
      }
    },
    dispose: async () => {
      await Promise.all(connections.map((connection) => connection.end()));
      await dispose();
    },
  };
};
