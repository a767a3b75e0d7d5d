/** Takes mails that are due, sends them, and tries again what failed. A process that dies leaves its claims to run out. */
import type { Logger } from '@settler/chassis/logger';
import { type Poller, startPoller } from '@settler/chassis/poller';
import { type Mail, type MailOrder, retryDelayMs } from '../domain/mail.ts';
import type { ClaimedMail, InvitationStore, MailQueue, PasswordResets, SendMail, Throttle } from './ports.ts';

export interface SendMailsNeeds {
  readonly queue: MailQueue;
  readonly resets: Pick<PasswordResets, 'mailOf'>;
  readonly invitations: Pick<InvitationStore, 'mailOf'>;
  readonly throttle: Pick<Throttle, 'spend'>;
  readonly send: SendMail;
  readonly logger: Logger;
  readonly retryMs: number;
}

const pollMs = 500;
const batch = 10;

export const startMails = ({ queue, resets, invitations, throttle, send, logger, retryMs }: SendMailsNeeds): Pick<Poller, 'stop'> => {
  /** Where a key is missing an operator may bring it back, and meanwhile the mail is tried as if its server were away. */
  const open = (claimed: ClaimedMail): MailOrder => {
    try {
      return claimed.order();
    } catch (error) {
      logger.error({ err: error, mailId: claimed.id }, 'what is sealed of a mail does not open');
      throw error;
    }
  };

  /**
   * Each organization may write to somebody as often as a login may fail, and anybody makes organizations: what all of them write is
   * counted here, where none of them learns of it, and the rest waits. @throws Refusal `rate_limited`
   */
  const admitInvitation = async (recipient: string): Promise<void> => {
    const counted = `invitations of all to ${recipient}`;
    await throttle.spend(counted, counted);
  };

  const mailOf = async (claimed: ClaimedMail): Promise<Mail | undefined> => {
    const order = open(claimed);
    switch (order.kind) {
      case 'passwordReset':
        return resets.mailOf(claimed, order);
      case 'invitation': {
        const mail = await invitations.mailOf(order);
        if (mail !== undefined) await admitInvitation(mail.to);
        return mail;
      }
    }
  };

  const attempt = async (claimed: ClaimedMail): Promise<void> => {
    try {
      const mail = await mailOf(claimed);
      if (mail === undefined) return await queue.end(claimed, 'dropped');
      await send(claimed.id, mail);
      await queue.end(claimed, 'sent');
    } catch (error) {
      const delayMs = retryDelayMs(claimed.attempts, retryMs);
      // The code alone: what a mail server says often quotes the address.
      const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
      logger.warn({ mailId: claimed.id, attempts: claimed.attempts, code, responseCode }, 'a mail could not be sent');
      await (delayMs === undefined ? queue.end(claimed, 'failed') : queue.putOff(claimed, delayMs));
    }
  };

  const round = async (): Promise<boolean> => {
    try {
      const claimed = await queue.claim(batch);
      await Promise.all(claimed.map(attempt));
      return claimed.length === batch;
    } catch (error) {
      logger.warn({ err: error }, 'due mails could not be claimed or recorded; it is tried again');
      return false;
    }
  };

  return startPoller(pollMs, round);
};
