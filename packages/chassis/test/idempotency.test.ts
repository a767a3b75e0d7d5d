import { waitFor } from '@settler/harness';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { isUnavailable } from '../src/database-errors.ts';
import { createIdempotency, fingerprintOf } from '../src/idempotency.ts';
import { Refusal } from '../src/refusal.ts';
import { databaseForTests } from './island-parts.ts';

const secret = Buffer.from('a key of this test');
const organizationId = 'org_01jd0000000000000000000000';

describe('a request with an Idempotency-Key and remote work', () => {
  const server = databaseForTests();

  test('may be made again as soon as the database that was lost under it is back', async () => {
    const idempotency = createIdempotency(server.postgres, secret);
    const request = { organizationId, scope: 'POST /v1/webhooks', key: 'one', fingerprint: fingerprintOf('{}'), secretFields: [] };
    const prepare = async () => 'asked elsewhere';
    const losing = async () =>
      server.postgres.organization(organizationId, async (trx) => {
        await sql`select pg_terminate_backend(pg_backend_pid())`.execute(trx);
        return { status: 201, body: {} };
      });
    await expect(idempotency.run(request, { prepare, effect: losing })).rejects.toSatisfy(isUnavailable);
    const again = await waitFor(
      async () => {
        try {
          return await idempotency.run(request, { prepare, effect: async () => ({ status: 201, body: { times: 1 } }) });
        } catch (error) {
          if (error instanceof Refusal && error.code === 'idempotency_in_flight') return undefined;
          throw error;
        }
      },
      { what: 'the key to be free', timeoutMs: 10_000 },
    );
    expect(again).toEqual({ answer: { status: 201, body: { times: 1 } }, replayed: false });
    const replayed = await idempotency.run(request, { prepare, effect: losing });
    expect(replayed).toEqual({ answer: { status: 201, headers: {}, body: { times: 1 } }, replayed: true });
    const { rows } = await server.postgres.organization(organizationId, (trx) =>
      sql<{ fingerprint: string }>`select fingerprint from idempotency_keys where key = 'one'`.execute(trx),
    );
    // Whoever has the table must not find out with it what bodies were.
    expect(rows).toEqual([{ fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) }]);
    expect(rows[0]?.fingerprint).not.toBe(request.fingerprint);
  });
});
