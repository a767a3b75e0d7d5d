/**
 * Every action that the audit trail may hold, once: services may write these and no others, and the reference lists them. An action
 * is `<entity>.<event in the past tense>`; the entity is also the type of the resource that the entry is about.
 */
import type { StatefulService } from './services.ts';

interface ActionDefinition {
  /** The service that writes it. */
  readonly service: StatefulService;
  /** When it is written: one sentence. */
  readonly description: string;
}

export const auditActions = {
  'organization.created': { service: 'identity', description: 'An organization was registered.' },
  'user.registered': { service: 'identity', description: 'A user registered, as the owner of a new organization.' },
  'organization.updated': { service: 'identity', description: 'The name or the base currency of the organization was changed.' },
  'user.role_changed': { service: 'identity', description: 'A member was given another role.' },
  'user.disabled': { service: 'identity', description: 'A member was shut out of the organization; the sessions there ended.' },
  'user.enabled': { service: 'identity', description: 'A member that was shut out may come in again.' },
  'user.removed': {
    service: 'identity',
    description: 'A member was removed from the organization, or has left it; the sessions there ended.',
  },
  'user.erasure_requested': {
    service: 'identity',
    description: 'The personal data of a user were asked to be erased; the membership, the sessions and the keys of the user ended.',
  },
  'user.erased': { service: 'identity', description: 'Every service has erased what it had of a user.' },
  'invitation.created': {
    service: 'identity',
    description: 'Somebody was invited by mail; the entry names the role and the invitation that this one replaced, and not the address.',
  },
  'invitation.withdrawn': { service: 'identity', description: 'An invitation that stood open was withdrawn.' },
  'user.joined': { service: 'identity', description: 'A user accepted an invitation and became a member.' },
  'session.started': { service: 'identity', description: 'A user logged in.' },
  'user.password_changed': {
    service: 'identity',
    description:
      'A user changed the password; the entry counts the other sessions, which ended with the old one. Written in each organization of the user.',
  },
  'user.password_reset': {
    service: 'identity',
    description: 'A user chose a new password with a token from a mail; all sessions ended. Written in each organization of the user.',
  },
  'user.login_denied': {
    service: 'identity',
    description:
      'Logins of a user failed; the entry counts those of about a minute, and says since when. Written in each organization of the user.',
  },
  'user.totp_enabled': {
    service: 'identity',
    description: 'A user turned one-time codes on. Written in each organization of the user.',
  },
  'user.totp_disabled': {
    service: 'identity',
    description:
      'One-time codes were turned off, by the user or, as `reason` says, by an operator. Written in each organization of the user.',
  },
  'session.moved': {
    service: 'identity',
    description: 'A user went on in another organization with the same session. Written in both, with whether it went out or came in.',
  },
  'user.exported': { service: 'identity', description: 'The personal data of a member were exported.' },
  'session.ended': {
    service: 'identity',
    description:
      'A user logged out, or ended a session from another one. Who else ends it, by its refresh token, is the actor, or the system where that is somebody of another organization.',
  },
  'session.reuse_detected': {
    service: 'identity',
    description: 'A refresh token that had been replaced was shown again after the grace; the session was ended.',
  },
  'api-key.created': { service: 'identity', description: 'An API key was created.' },
  'api-key.updated': { service: 'identity', description: 'An API key was changed.' },
  'api-key.rotated': { service: 'identity', description: 'A new API key took the place of this one, which ends after a grace.' },
  'api-key.revoked': { service: 'identity', description: 'An API key was revoked.' },
  'job.created': { service: 'jobs', description: 'A job was created, with its first configuration.' },
  'job.updated': { service: 'jobs', description: 'A job was changed; a new configuration is a new version.' },
  'job.paused': { service: 'jobs', description: 'A job was paused.' },
  'job.resumed': { service: 'jobs', description: 'A paused job was resumed.' },
  'job.archived': { service: 'jobs', description: 'A job was archived.' },
  'job.schedule_missed': {
    service: 'jobs',
    description:
      'Due times of a schedule went by while nobody could see to them; the entry says since when, and whether one run stands for all.',
  },
  'job.schedule_skipped': {
    service: 'executions',
    description: 'A due time of a schedule brought no run, for the reason that stands in the entry.',
  },
  'file.uploaded': { service: 'executions', description: 'A file was uploaded; the entry says its size and hash, and not its name.' },
  'file.deleted': { service: 'executions', description: 'An uploaded file was deleted.' },
  'execution.queued': {
    service: 'executions',
    description: 'A run of a job was asked for and accepted; the entry says which files it reads, by id and hash.',
  },
  'execution.completed': {
    service: 'executions',
    description: 'An execution completed; the entry counts the exceptions that it opened and resolved, which have no entries of their own.',
  },
  'execution.failed': { service: 'executions', description: 'An execution failed, for the reason that stands in the entry.' },
  'execution.cancelled': { service: 'executions', description: 'An execution was cancelled.' },
  'execution.cancel_requested': { service: 'executions', description: 'An execution that was not over was asked to end.' },
  'exception.updated': {
    service: 'executions',
    description: 'An exception was assigned, taken up, put back, weighed anew or dismissed; the entry says what changed.',
  },
  'exception.commented': { service: 'executions', description: 'Somebody commented on an exception; the entry does not hold the text.' },
  'exception.resolved': { service: 'executions', description: 'A person or a program resolved an exception; the entry says how.' },
  'exception.reopened': { service: 'executions', description: 'A resolved or dismissed exception was opened again.' },
  'match.created': { service: 'executions', description: 'Somebody matched records by hand; the entry counts them.' },
  'match.removed': {
    service: 'executions',
    description: 'A match was undone by hand, or one by hand ended because one of its records had changed; the entry says which.',
  },
  'approval.requested': {
    service: 'executions',
    description: 'Somebody settled by hand what takes a second person; it waits for that one.',
  },
  'approval.approved': { service: 'executions', description: 'A second person approved what another had settled, and it was done.' },
  'approval.rejected': {
    service: 'executions',
    description: 'A second person rejected what another had settled, and it was not done; or a run had resolved it before.',
  },
  'approval.withdrawn': {
    service: 'executions',
    description: 'Whoever had settled something withdrew it before a second person had decided.',
  },
  'exchange-rate.set': { service: 'executions', description: 'An exchange rate was set to another value or source than it had, or none.' },
  'exchange-rate.deleted': { service: 'executions', description: 'An exchange rate was deleted.' },
  'webhook.created': { service: 'webhooks', description: 'A webhook endpoint was created.' },
  'webhook.updated': { service: 'webhooks', description: 'A webhook endpoint was changed, paused or made active again.' },
  'webhook.disabled': {
    service: 'webhooks',
    description: 'A webhook endpoint answered that it is gone for good (410), and is sent nothing until somebody makes it active again.',
  },
  'webhook.deleted': { service: 'webhooks', description: 'A webhook endpoint was deleted, and its deliveries with it.' },
} as const satisfies Record<string, ActionDefinition>;

/** The actions that one service writes. */
export type AuditActionOf<Service extends StatefulService> = {
  [Action in keyof typeof auditActions]: (typeof auditActions)[Action]['service'] extends Service ? Action : never;
}[keyof typeof auditActions];
