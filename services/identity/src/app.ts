/** The only file that knows everything: adapters, use cases, routes and consumers, wired by hand. */
import { createHmac, createSecretKey, randomBytes } from 'node:crypto';
import { newId } from '@settler/chassis/ids';
import type { Life } from '@settler/chassis/lifecycle';
import { createSecretBox } from '@settler/chassis/secret-box';
import { createService, derivedKey } from '@settler/chassis/service';
import { accessTokenIssuerDefault } from '@settler/contracts/internal/access-token';
import { consumers } from '@settler/contracts/streams';
import { acceptInvitation } from './application/commands/accept-invitation.ts';
import { changeApiKey } from './application/commands/change-api-key.ts';
import { changePassword } from './application/commands/change-password.ts';
import { createApiKey } from './application/commands/create-api-key.ts';
import { inviteMember } from './application/commands/invite-member.ts';
import { logIn } from './application/commands/log-in.ts';
import { register } from './application/commands/register.ts';
import { removeTotp } from './application/commands/remove-totp.ts';
import { resetPassword } from './application/commands/reset-password.ts';
import { rotateApiKey } from './application/commands/rotate-api-key.ts';
import { setUpTotp } from './application/commands/set-up-totp.ts';
import { startErasures } from './application/erase-members.ts';
import { proveFactor } from './application/prove-factor.ts';
import { provePassword } from './application/prove-password.ts';
import { startMails } from './application/send-mails.ts';
import { verifyApiKey } from './application/verify-api-key.ts';
import { verifyTrail } from './application/verify-trail.ts';
import type { Config } from './config.ts';
import { readApiKey, writeApiKey } from './domain/api-key-text.ts';
import { createAccessTokens } from './infrastructure/access-tokens.ts';
import { createApiKeyHashes } from './infrastructure/api-key-hashes.ts';
import { startKeyring } from './infrastructure/keyring.ts';
import { createSmtp, printMail } from './infrastructure/mail/send.ts';
import { createPasswords } from './infrastructure/passwords.ts';
import { createAccountStore } from './infrastructure/postgres/accounts/account-store.ts';
import { startDeniedLogins } from './infrastructure/postgres/accounts/denied-logins.ts';
import { createPasswordResets } from './infrastructure/postgres/accounts/password-resets.ts';
import { createPasswordStore } from './infrastructure/postgres/accounts/password-store.ts';
import { createSecondFactors } from './infrastructure/postgres/accounts/second-factors.ts';
import { createThrottle } from './infrastructure/postgres/accounts/throttle.ts';
import { createAuditQueries } from './infrastructure/postgres/audit/audit-queries.ts';
import { appendEntries } from './infrastructure/postgres/audit/audit-trail.ts';
import { createApiKeyStore } from './infrastructure/postgres/credentials/api-key-store.ts';
import { createRevocations } from './infrastructure/postgres/credentials/revocations.ts';
import { createMint } from './infrastructure/postgres/credentials/session-rows.ts';
import { createSessionStore } from './infrastructure/postgres/credentials/session-store.ts';
import { createSigningKeyStore } from './infrastructure/postgres/credentials/signing-key-store.ts';
import { startHousekeeping } from './infrastructure/postgres/housekeeping.ts';
import { createMailQueue } from './infrastructure/postgres/mail-queue.ts';
import { createInvitationStore } from './infrastructure/postgres/members/invitation-store.ts';
import { createMemberStore } from './infrastructure/postgres/members/member-store.ts';
import { createOrganizationStore } from './infrastructure/postgres/members/organization-store.ts';
import { takeAcknowledgement } from './infrastructure/postgres/personal-data/erasure-steps.ts';
import { createErasures } from './infrastructure/postgres/personal-data/erasure-store.ts';
import { createQueries } from './infrastructure/postgres/queries.ts';
import type { Database } from './infrastructure/postgres/tables.ts';
import { createTotpSecrets } from './infrastructure/totp-secrets.ts';
import { createTurns } from './infrastructure/turns.ts';
import { auditHeadsAltered, loginsDenied } from './metrics.ts';
import { apiKeyRoutes } from './routes/api-keys.ts';
import { auditRoutes } from './routes/audit.ts';
import { authRoutes } from './routes/auth.ts';
import { internalRoutes } from './routes/internal.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { keySetRoutes } from './routes/key-set.ts';
import { meRoutes } from './routes/me.ts';
import { memberRoutes } from './routes/members.ts';
import { passwordRoutes } from './routes/passwords.ts';
import { personalDataRoutes } from './routes/personal-data.ts';
import { createSignedInViews } from './routes/signed-in.ts';
import { totpRoutes } from './routes/totp.ts';

/** Longer than any attempt to send a mail takes. */
const mailLeaseMs = 60_000;

export const start = async (config: Config, life: Life): Promise<string> => {
  const service = await createService<Database>('identity', config, life);
  const { postgres, outbox, cursors } = service;
  const { endpoint } = service.endpoints;
  const clock = () => new Date();
  // An object: of bytes Node would make one for every entry.
  const chainKey = createSecretKey(derivedKey(config.IDENTITY_SECRET, 'audit chain'));
  const chainHmac = (text: string) => createHmac('sha256', chainKey).update(text).digest('base64url');
  const publicScopeKey = derivedKey(config.IDENTITY_SECRET, 'idempotency scope');
  const keyed = (subject: string) => createHmac('sha256', publicScopeKey).update(subject).digest('base64url');
  const checksumHmac = (text: string) => createHmac('sha256', config.API_KEY_SECRET).update(text).digest();

  const box = createSecretBox(config.ENCRYPTION_KEY);
  const keyStore = createSigningKeyStore({
    postgres,
    box,
    rotationMs: config.SIGNING_KEY_ROTATION_MS,
    given: config.JWT_PRIVATE_KEY,
  });
  const keyring = await startKeyring(keyStore, life.logger);
  life.onStop('keyring', keyring.stop);
  life.onStop('housekeeping', startHousekeeping(postgres, life.logger).stop);

  const mint = createMint(derivedKey(config.IDENTITY_SECRET, 'refresh tokens'));
  const lifetimeMs = config.REFRESH_LIFETIME_MS;
  const accounts = createAccountStore({ postgres, outbox, mint, sessionLifetimeMs: lifetimeMs, chainHmac });
  const sessions = createSessionStore({ postgres, outbox, mint, lifetimeMs, graceMs: config.REFRESH_GRACE_MS });
  const apiKeys = createApiKeyStore(postgres, outbox);
  const hashes = createApiKeyHashes(derivedKey(config.API_KEY_SECRET, 'keys at rest'));
  const passwords = await createPasswords();
  const throttle = createThrottle(postgres, derivedKey(config.IDENTITY_SECRET, 'login counters'));
  const deniedLoginEntries = startDeniedLogins(postgres, outbox, life.logger, config.DENIED_LOGINS_AUDIT_MS);
  life.onStop('denied logins', deniedLoginEntries.stop);
  const totpSecrets = createTotpSecrets(derivedKey(config.IDENTITY_SECRET, 'recovery codes'), clock);
  const factors = createSecondFactors({ postgres, outbox, box, secrets: totpSecrets });
  const prove = proveFactor({ factors, throttle });
  const known = provePassword({ passwords, throttle });
  const queries = createQueries(postgres, cursors);
  const deniedLogins = service.metrics.counter(loginsDenied);

  const accessToken = createAccessTokens(keyring, config.PUBLIC_URL ?? accessTokenIssuerDefault);
  const views = createSignedInViews(accessToken);

  authRoutes(endpoint, {
    register: register({
      accounts,
      passwords,
      throttle,
      proveFactor: prove,
      clock,
      newId,
      newSuffix: () => randomBytes(3).toString('hex'),
    }),
    logIn: logIn({
      accounts,
      sessions,
      passwords,
      throttle,
      proveFactor: prove,
      newId,
      denied: (email) => {
        deniedLogins.inc();
        // Enough to see that it is the same account each time, and not whose it is.
        life.logger.warn({ account: keyed(email).slice(0, 12) }, 'a login was denied');
      },
    }),
    sessions,
    views,
    idempotencyScope: keyed,
  });
  totpRoutes(endpoint, {
    setUp: setUpTotp({ accounts, sessions, factors, provePassword: known, throttle }),
    remove: removeTotp({ accounts, factors, provePassword: known, proveFactor: prove }),
  });
  const members = createMemberStore(postgres, outbox);
  meRoutes(endpoint, { members, queries, sessions });
  memberRoutes(endpoint, {
    members,
    organizations: createOrganizationStore(postgres, outbox),
    queries,
  });
  const erasures = createErasures({ postgres, outbox, throttle, retryMs: config.ERASURE_RETRY_MS, wake: () => erasing.wake() });
  const erasing = startErasures({ erasures, logger: life.logger });
  life.onStop('erasures', erasing.stop);
  personalDataRoutes(endpoint, { erasures, newId: () => newId('erasure'), queries });
  const resets = createPasswordResets({ postgres, outbox, box, key: derivedKey(config.IDENTITY_SECRET, 'password resets') });
  const invitationKey = derivedKey(config.IDENTITY_SECRET, 'invitations');
  const invitations = createInvitationStore({ postgres, outbox, mint, lifetimeMs, box, key: invitationKey });
  invitationRoutes(endpoint, {
    invite: inviteMember({ invitations, throttle, newId: () => newId('invitation') }),
    accept: acceptInvitation({ invitations, accounts, passwords, throttle, proveFactor: prove, newId, keyed }),
    store: invitations,
    queries,
    views,
    idempotencyScope: keyed,
  });
  const mails = startMails({
    queue: createMailQueue(postgres, box, mailLeaseMs),
    resets,
    invitations,
    throttle,
    send: config.SMTP_URL === undefined ? printMail : await createSmtp(config.SMTP_URL, config.MAIL_FROM),
    logger: life.logger,
    retryMs: config.MAIL_RETRY_MS,
  });
  life.onStop('mails', mails.stop);
  passwordRoutes(endpoint, {
    change: changePassword({ accounts, store: createPasswordStore(postgres, outbox), passwords, provePassword: known, factors }),
    reset: resetPassword({ resets, passwords, throttle, factors, keyed }),
    idempotencyScope: keyed,
  });
  const newKeys = {
    keys: apiKeys,
    clock,
    newId: () => newId('apiKey'),
    newText: () => writeApiKey(randomBytes(9), randomBytes(32), checksumHmac),
    hash: hashes.hash,
  };
  apiKeyRoutes(endpoint, {
    create: createApiKey(newKeys),
    change: changeApiKey({ keys: apiKeys, clock }),
    rotate: rotateApiKey(newKeys),
    store: apiKeys,
    queries,
  });
  const trails = createAuditQueries(postgres, cursors, chainHmac);
  auditRoutes(endpoint, trails, verifyTrail({ queries: trails, clock, turn: createTurns(2, 100, 'verifications') }));
  keySetRoutes(endpoint, async () => (await keyring.published()).map(({ jwk }) => jwk));
  internalRoutes(service.app, {
    verify: service.verify,
    verifyApiKey: verifyApiKey({ keys: apiKeys, read: (text) => readApiKey(text, checksumHmac), matches: hashes.matches }),
    isSessionActive: sessions.isActive,
    revocations: createRevocations(postgres),
    isActiveMember: queries.isActiveMember,
  });
  service.consume(consumers.erasureAcknowledgements, takeAcknowledgement(outbox));
  const alteredHeads = service.metrics.counter(auditHeadsAltered);
  const sayAltered = (organizationId: string, entries: number) => {
    alteredHeads.inc();
    life.logger.error({ organizationId, entries }, 'somebody without the key has altered the head of an audit trail: it stays invalid');
  };
  service.consumeTogether(consumers.auditTrail, appendEntries(chainHmac, sayAltered));
  return service.listen();
};
