/**
 * Who does something that lasts, as that stands now and not when the credential was looked at: gateways hear within a second that somebody
 * has lost a right, and what is made in that second must not outlive it.
 */
import { Refusal } from '@settler/chassis/refusal';
import { allows, type Scope, scopesFor } from '@settler/contracts/scopes';
import { sql } from 'kysely';
import type { Actor } from '../../../application/ports.ts';
import type { Doer, MembershipRefusal } from '../../../domain/membership.ts';
import type { Trx } from '../sight.ts';

type Principal = Actor['principal'];

/**
 * First in its transaction. All changes of who may do what in an organization wait here for one another, memberships, invitations and keys
 * alike, or two owners could remove each other at once. Rows of doers that are held one by one would be held in an order of their own by
 * each of two keys that revoke one another. Not `for update`, which would also make those wait who only insert a row that names the
 * organization.
 *
 * @throws Refusal `forbidden` where the doer has no longer the scope, `unauthenticated` where the credential has ended
 */
export const lockedDoer = async (trx: Trx, actor: Actor, scope: Scope): Promise<Doer> => {
  await lock(trx, actor);
  const doer = await doerOf(trx, actor.principal);
  if (!allows(doer.scopes, scope)) throw new Refusal('forbidden', `This needs the scope ${scope}.`, { requiredScope: scope });
  return doer;
};

/**
 * The same for what is about the doer alone: it needs no scope, and whoever was shut out for a while may do it as well.
 * @throws Refusal `forbidden` where there is no membership any more, `unauthenticated` where the session has ended
 */
export const lockedMember = async (trx: Trx, actor: Actor): Promise<Doer> => {
  await lock(trx, actor);
  const { role } = await membershipOf(trx, actor.principal);
  await requireSession(trx, actor.principal);
  return { role, scopes: [] };
};

const lock = (trx: Trx, { principal: { organizationId } }: Actor) =>
  trx.selectFrom('organizations').select('slug').where('organization_id', '=', organizationId).forNoKeyUpdate().execute();

/** @throws Refusal where a rule of memberships speaks against it */
export const requireNoFault = (fault: MembershipRefusal | undefined): void => {
  if (fault === undefined) return;
  const { code, detail, requiredScope } = fault;
  throw new Refusal(code, detail, requiredScope === undefined ? {} : { requiredScope });
};

const doerOf = (trx: Trx, principal: Principal): Promise<Doer> | Doer => {
  if (principal.kind === 'user') return member(trx, principal);
  return principal.kind === 'apiKey' ? key(trx, principal) : { role: undefined, scopes: principal.scopes };
};

const member = async (trx: Trx, principal: Principal): Promise<Doer> => {
  const { role, disabled_at: disabledAt } = await membershipOf(trx, principal);
  if (disabledAt !== null) throw new Refusal('forbidden', 'Your membership is disabled.');
  await requireSession(trx, principal);
  return { role, scopes: inBoth(principal.scopes, scopesFor(role)) };
};

const membershipOf = async (trx: Trx, { id, organizationId }: Principal) => {
  const row = await trx
    .selectFrom('memberships')
    .select(['role', 'disabled_at'])
    .where('organization_id', '=', organizationId)
    .where('user_id', '=', id)
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('forbidden', 'You are no member of this organization any more.');
  return row;
};

/** What ends one waits for nobody here: what is done at the same time was done before. @throws Refusal `unauthenticated` */
export const requireSession = async (trx: Trx, { sessionId }: Principal): Promise<void> => {
  if (sessionId === undefined) return;
  const session = await trx.selectFrom('sessions').select('ended_at').where('id', '=', sessionId).executeTakeFirst();
  if (session === undefined || session.ended_at !== null) throw new Refusal('unauthenticated', 'The session has ended.');
};

/** A key outlives the membership of whoever created it, so that is not asked for. */
const key = async (trx: Trx, { id, scopes }: Principal): Promise<Doer> => {
  const row = await trx
    .selectFrom('api_keys')
    .select('scopes')
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', sql<Date>`now()`)]))
    .executeTakeFirst();
  if (row === undefined) throw new Refusal('unauthenticated', 'The API key is not valid.');
  return { role: undefined, scopes: inBoth(scopes, row.scopes) };
};

const inBoth = (some: readonly string[], others: readonly string[]): readonly string[] => {
  if (some.includes('*')) return others;
  return others.includes('*') ? some : some.filter((name) => others.includes(name));
};
