/**
 * Idempotency-Key: the same request again gives the first answer again. The record is written in the transaction of the effect,
 * so that there is no moment at which one exists without the other. Only 2xx and 409 are recorded: everything else may be tried again.
 */
import { createHash, createHmac } from 'node:crypto';
import { sql } from 'kysely';
import type { Answer } from './answer.ts';
import { isUnavailable } from './database-errors.ts';
import { tagged } from './entity-tag.ts';
import type { Postgres } from './postgres.ts';
import { problemAnswer } from './problem.ts';
import { Refusal } from './refusal.ts';
import type { ChassisTables } from './tables.ts';

/** How long a route with remote work holds its claim; a crash in the middle frees the key after this. */
const claimSeconds = 60;
const keptHours = 24;

export interface IdempotentRequest {
  /** The organization; for public routes, which have none yet, a marker that no organization can have. */
  readonly organizationId: string;
  /** Method, concrete path and query; who asks, where it is about them; for public routes an HMAC of the e-mail or token. */
  readonly scope: string;
  readonly key: string;
  /** SHA-256 of the body. */
  readonly fingerprint: string;
  readonly secretFields: readonly string[];
}

export interface Idempotency {
  /**
   * Runs `effect` at most once per key. With `prepare`, which may take long and may speak to other services, a claim is held
   * outside any transaction while it runs.
   * @throws Refusal `idempotency_in_flight` or `idempotency_key_reused`
   */
  readonly run: <Prepared>(
    request: IdempotentRequest,
    steps: { prepare?: () => Promise<Prepared>; effect: (prepared: Prepared | undefined) => Promise<Answer> },
  ) => Promise<{ answer: Answer; replayed: boolean }>;
}

const inFlight = () =>
  new Refusal('idempotency_in_flight', 'A request with this Idempotency-Key is still being processed; try again shortly.', {
    retryAfterSeconds: 1,
  });
const reused = () =>
  new Refusal('idempotency_key_reused', 'This Idempotency-Key was used with another body; use a new key for a new request.');

export const fingerprintOf = (body: Buffer | string): string => createHash('sha256').update(body).digest('hex');

interface Stored {
  readonly fingerprint: string;
  readonly status: number | null;
  readonly headers: string | null;
  readonly body: string | null;
  readonly claim_is_live: boolean;
}

/** `secret`: without it, nobody can try bodies against a fingerprint. Some have passwords in them. */
export const createIdempotency = (postgres: Postgres<ChassisTables>, secret: Buffer): Idempotency => {
  const sealed = (fingerprint: string): string => createHmac('sha256', secret).update(fingerprint).digest('hex');
  const find = async (request: IdempotentRequest): Promise<Stored | undefined> =>
    postgres.organization(request.organizationId, async (trx) => {
      const { rows } = await sql<Stored>`
        select fingerprint, status, headers, body, coalesce(claimed_until > now(), false) as claim_is_live
          from idempotency_keys
         where organization_id = ${request.organizationId} and scope = ${request.scope} and key = ${request.key}
           and created_at > now() - make_interval(hours => ${keptHours})`.execute(trx);
      return rows[0];
    });

  /** Held to the end of the transaction. */
  const lockOf = ({ organizationId, scope, key }: IdempotentRequest) => sql`hashtextextended(${`${organizationId}\n${scope}\n${key}`}, 0)`;

  /** Failing says that the same request is running or looked at now, here or on another replica. */
  const tryLock = async (request: IdempotentRequest): Promise<boolean> =>
    postgres.organization(request.organizationId, async (trx) => {
      const { rows } = await sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${lockOf(request)}) as locked`.execute(trx);
      return rows[0]?.locked === true;
    });

  /** For whoever holds the claim. Others have the lock for as long as they look at it, and must not make the one who works give up. */
  const lock = async (request: IdempotentRequest): Promise<void> =>
    postgres.organization(request.organizationId, async (trx) => {
      await sql`select pg_advisory_xact_lock(${lockOf(request)})`.execute(trx);
    });

  const replay = (request: IdempotentRequest, stored: Stored): Answer | undefined => {
    if (stored.fingerprint !== sealed(request.fingerprint)) throw reused();
    if (stored.status === null) {
      if (stored.claim_is_live) throw inFlight();
      return undefined;
    }
    return {
      status: stored.status,
      headers: JSON.parse(stored.headers ?? '{}') as Record<string, string>,
      ...(stored.body === null ? {} : { body: JSON.parse(stored.body) as unknown }),
    };
  };

  const record = async (request: IdempotentRequest, answer: Answer): Promise<void> =>
    postgres.organization(request.organizationId, async (trx) => {
      const body = answer.body === undefined ? null : JSON.stringify(without(answer.body, request.secretFields));
      await sql`
        insert into idempotency_keys (organization_id, scope, key, fingerprint, status, headers, body)
        values (${request.organizationId}, ${request.scope}, ${request.key}, ${sealed(request.fingerprint)}, ${answer.status}, ${JSON.stringify(answer.headers ?? {})}, ${body})
        on conflict (organization_id, scope, key) do update
          set fingerprint = excluded.fingerprint, status = excluded.status, headers = excluded.headers, body = excluded.body,
              claimed_until = null, created_at = now()`.execute(trx);
    });

  const claim = async (request: IdempotentRequest): Promise<void> =>
    postgres.organization(request.organizationId, async (trx) => {
      await sql`
        insert into idempotency_keys (organization_id, scope, key, fingerprint, claimed_until)
        values (${request.organizationId}, ${request.scope}, ${request.key}, ${sealed(request.fingerprint)}, now() + make_interval(secs => ${claimSeconds}))
        on conflict (organization_id, scope, key) do update
          set fingerprint = excluded.fingerprint, status = null, headers = null, body = null,
              claimed_until = excluded.claimed_until, created_at = now()`.execute(trx);
    });

  const unclaim = async (request: IdempotentRequest): Promise<void> =>
    postgres.organization(request.organizationId, async (trx) => {
      await sql`
        delete from idempotency_keys
         where organization_id = ${request.organizationId} and scope = ${request.scope} and key = ${request.key} and status is null`.execute(
        trx,
      );
    });

  /** A refusal rolled the effect back; a conflict is still the answer to this key from now on. */
  const recordConflict = async (request: IdempotentRequest, error: unknown): Promise<void> => {
    if (!(error instanceof Refusal) || error.code !== 'conflict') return;
    await record(request, problemAnswer(error));
  };

  return {
    run: async (request, { prepare, effect }) => {
      const inOneTransaction = <Result>(work: () => Promise<Result>) => postgres.organization(request.organizationId, work);
      const answered = async (): Promise<Answer | undefined> => {
        const stored = await find(request);
        return stored === undefined ? undefined : replay(request, stored);
      };
      const first = await inOneTransaction(async () => {
        const isOurs = await tryLock(request);
        const again = await answered();
        // What is done needs no lock to be told again, however many ask for it at once.
        if (again === undefined && !isOurs) throw inFlight();
        if (again === undefined && prepare !== undefined) await claim(request);
        if (again !== undefined || prepare !== undefined) return again;
        const answer = tagged(await effect(undefined));
        await record(request, answer);
        return { ...answer, fresh: true as const };
      }).catch(async (error: unknown) => {
        if (prepare === undefined) await recordConflict(request, error);
        throw error;
      });
      if (first !== undefined) {
        const { fresh, ...answer } = first as Answer & { fresh?: true };
        return { answer, replayed: fresh !== true };
      }
      try {
        const prepared = await prepare?.();
        return await inOneTransaction(async () => {
          await lock(request);
          // Where `prepare` has outlasted the claim, somebody else may have taken it and be done.
          const stored = await find(request);
          const again = stored === undefined || stored.status === null ? undefined : replay(request, stored);
          if (again !== undefined) return { answer: again, replayed: true };
          const answer = tagged(await effect(prepared));
          await record(request, answer);
          return { answer, replayed: false };
        });
      } catch (error) {
        if (error instanceof Refusal && error.code === 'conflict') await recordConflict(request, error);
        else {
          const freed = unclaim(request);
          // Nobody waits for a database that is away: where this fails, too, the claim ends by itself.
          if (isUnavailable(error)) freed.catch(() => undefined);
          else await freed;
        }
        throw error;
      }
    },
  };
};

/** The body without the fields that are shown once, given as dotted paths. */
const without = (body: unknown, paths: readonly string[]): unknown => {
  if (paths.length === 0 || typeof body !== 'object' || body === null) return body;
  const copy = structuredClone(body) as Record<string, unknown>;
  for (const path of paths) {
    const parts = path.split('.');
    const last = parts.pop() as string;
    const holder = parts.reduce<unknown>((value, part) => (value as Record<string, unknown> | undefined)?.[part], copy);
    if (typeof holder === 'object' && holder !== null) delete (holder as Record<string, unknown>)[last];
  }
  return copy;
};
