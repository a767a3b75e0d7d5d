import { lockWaits, waitFor } from '@settler/harness';
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

  const requestOf = (key: string) => ({
    organizationId,
    scope: 'POST /v1/webhooks',
    key,
    fingerprint: fingerprintOf('{}'),
    secretFields: [],
  });
  const refusedAs = (code: string) => (error: unknown) => error instanceof Refusal && error.code === code;
  /** Somebody who looks at a key, from when this returns for as long as `done` takes. */
  const holding = async (key: string, done: Promise<unknown>): Promise<{ readonly ended: Promise<void> }> => {
    const held = Promise.withResolvers<void>();
    const ended = server.postgres.organization(organizationId, async (trx) => {
      await sql`select pg_advisory_xact_lock(hashtextextended(${`${organizationId}\nPOST /v1/webhooks\n${key}`}, 0))`.execute(trx);
      held.resolve();
      await done;
    });
    await Promise.race([held.promise, ended]);
    return { ended };
  };
  const waits = () =>
    waitFor(
      async () => {
        const { rows } = await sql.raw(`${lockWaits} and locktype = 'advisory'`).execute(server.postgres.systemDb);
        return rows.length > 0;
      },
      { what: 'somebody who waits for the lock' },
    );

  test('is done, though the same one is looked at just when it is about to be', async () => {
    const idempotency = createIdempotency(server.postgres, secret);
    const request = requestOf('two');
    const looked = Promise.withResolvers<void>();
    let looking: Awaited<ReturnType<typeof holding>> | undefined;
    const running = idempotency.run(request, {
      prepare: async () => {
        // While the claim is held, whoever asks again is told so, and in no case done.
        const again = idempotency.run(request, { prepare: async () => {}, effect: async () => ({ status: 500 }) });
        await expect(again).rejects.toSatisfy(refusedAs('idempotency_in_flight'));
        looking = await holding('two', looked.promise);
      },
      effect: async () => ({ status: 201, body: { times: 1 } }),
    });
    await waits();
    looked.resolve();
    expect(await running).toEqual({ answer: { status: 201, body: { times: 1 } }, replayed: false });
    await looking?.ended;
  });

  test('that was done is answered again to all who ask at once', async () => {
    const idempotency = createIdempotency(server.postgres, secret);
    const request = requestOf('three');
    await idempotency.run(request, { effect: async () => ({ status: 201, body: {} }) });
    const looked = Promise.withResolvers<void>();
    const looking = await holding('three', looked.promise);
    const never = async () => ({ status: 500 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => idempotency.run(request, { effect: never })));
    expect(answers.map(({ answer, replayed }) => [answer.status, replayed])).toEqual(Array.from({ length: 5 }, () => [201, true]));
    await expect(idempotency.run({ ...request, fingerprint: 'other' }, { effect: never })).rejects.toSatisfy(
      refusedAs('idempotency_key_reused'),
    );
    looked.resolve();
    await looking.ended;
  });

  test('that lasted longer than its claim is not done once more by the first', async () => {
    const idempotency = createIdempotency(server.postgres, secret);
    const request = requestOf('four');
    let times = 0;
    const effect = async () => {
      times += 1;
      return { status: 201, body: { times } };
    };
    const slow = await idempotency.run(request, {
      prepare: async () => {
        await sql`update idempotency_keys set claimed_until = now() where key = 'four'`.execute(server.postgres.systemDb);
        expect((await idempotency.run(request, { prepare: async () => {}, effect })).replayed).toBe(false);
      },
      effect,
    });
    expect(slow).toEqual({ answer: { status: 201, headers: {}, body: { times: 1 } }, replayed: true });
  });
});
