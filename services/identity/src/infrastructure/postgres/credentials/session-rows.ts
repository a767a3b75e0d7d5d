/** The rows of a session and of its tokens, inside somebody's transaction. */
import { createHash, createHmac } from 'node:crypto';
import { Refusal } from '@settler/chassis/refusal';
import type { Role } from '@settler/contracts/scopes';
import { sql } from 'kysely';
import type { Organization, SignedIn, User } from '../../../application/ports.ts';
import type { Trx } from '../sight.ts';

/**
 * Tokens are computed, not drawn: each follows from its session and generation, so that a successor can be given out twice
 * without ever being stored. Whoever lacks the key cannot compute one, and the database keeps hashes alone.
 */
export const createMint =
  (key: Buffer) =>
  (sessionId: string, generation: number): string =>
    `str_${createHmac('sha256', key).update(`${sessionId}\n${generation}`).digest('base64url')}`;
export type Mint = ReturnType<typeof createMint>;

export const hashOf = (refreshToken: string): Buffer => createHash('sha256').update(refreshToken).digest();

export interface NewSession {
  readonly id: string;
  readonly user: User;
  readonly organization: Organization;
  readonly role: Role;
  readonly lifetimeMs: number;
}

export const insertSession = async (trx: Trx, mint: Mint, session: NewSession): Promise<SignedIn> => {
  const { id, user, organization, role, lifetimeMs } = session;
  const { expires_at: endsAt } = await trx
    .insertInto('sessions')
    .values({
      id,
      user_id: user.id,
      organization_id: organization.id,
      expires_at: sql<Date>`now() + make_interval(secs => ${lifetimeMs / 1000}::float8)`,
    })
    .returning('expires_at')
    .executeTakeFirstOrThrow();
  return signedIn(user, organization, role, { id, endsAt }, await insertToken(trx, mint, id, 0));
};

export const insertToken = async (trx: Trx, mint: Mint, sessionId: string, generation: number): Promise<string> => {
  const token = mint(sessionId, generation);
  await trx
    .insertInto('refresh_tokens')
    .values({ hash: hashOf(token), session_id: sessionId, generation })
    .execute();
  return token;
};

/** The password was checked outside of this transaction. Where it is another by now, a session would outlive its replacement. */
export const requirePassword = async (trx: Trx, userId: string, passwordHash: string): Promise<void> => {
  const held = await trx
    .selectFrom('users')
    .select('id')
    .where('id', '=', userId)
    .where('password_hash', '=', passwordHash)
    .forShare()
    .executeTakeFirst();
  if (held === undefined) throw new Refusal('unauthenticated', 'The e-mail address or the password is wrong.');
};

export const signedIn = (
  user: User,
  organization: Organization,
  role: Role,
  session: { readonly id: string; readonly endsAt: Date },
  refreshToken: string,
): SignedIn => ({
  user,
  organization,
  grant: { userId: user.id, organizationId: organization.id, role, sessionId: session.id, sessionEndsAt: session.endsAt },
  refreshToken,
});
