/**
 * Where messages go. Public facts: `evt.<service>.<entity>.<event>.v<major>.<organization>`, so that an outside consumer can
 * filter by type and be confined to one organization. `aud.` feeds the audit trail and `work.` rings doorbells: nobody outside reads them.
 */
import type { StatefulService } from './services.ts';

export const eventSubject = (service: StatefulService, type: string, major: number, organizationId: string): string => {
  const [entity = '', event = ''] = type.split('.');
  return `evt.${service}.${entity}.${event}.v${major}.${organizationId}`;
};

export const auditSubject = (service: StatefulService, organizationId: string): string => `aud.${service}.${organizationId}`;

/** The doorbell of the execution workers: the message only says that a row may be ready. */
export const executionDoorbellSubject = 'work.executions';

/** Asks a service to erase what it has of somebody. */
export const erasureRequestSubject = (service: StatefulService): string => `work.erasures.${service}`;

/** Tells identity that a service has. */
export const erasureAcknowledgementSubject = (service: StatefulService): string => `work.erased.${service}`;

/** Asks executions to run a job whose schedule is due. */
export const runRequestSubject = 'work.runs';
