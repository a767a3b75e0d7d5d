/** What mails say, and when one that could not be sent is tried again. */

/**
 * What a request asks for. Everything else is found out when it is sent: whether there is such an account, because the request must
 * not tell, and whether the invitation still stands.
 */
export type MailOrder = PasswordResetOrder | InvitationOrder;
export interface PasswordResetOrder {
  readonly kind: 'passwordReset';
  readonly email: string;
}
export interface InvitationOrder {
  readonly kind: 'invitation';
  readonly organizationId: string;
  readonly invitationId: string;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly token: string;
}

export const passwordResetSeconds = 3600;
export const invitationSeconds = 48 * 3600;
/** With the delays below, about as long as a mail server may be away for a day. */
export const attemptsMax = 30;
const delayMsMax = 3600_000;

/** How long to wait after so many attempts; undefined where it is given up. */
export const retryDelayMs = (attempts: number, firstMs: number): number | undefined =>
  attempts >= attemptsMax ? undefined : Math.min(firstMs * 2 ** (attempts - 1), delayMsMax);

// All texts are ASCII in short lines, so that they need no encoding, which would break the token in the mail's source.

export const passwordResetMail = (to: string, token: string): Mail => ({
  to,
  token,
  subject: 'Choose a new password',
  text: `Somebody, probably you, asked for a new password for Settler.
This token lets you choose one, once and within an hour:

token=${token}

If it was not you, you need do nothing: your password stays as it is.
`,
});

/** `slug` names the organization: its name is free text, with which a stranger could write to anybody in our name. */
export const invitationMail = (to: string, slug: string, token: string): Mail => ({
  to,
  token,
  subject: 'You are invited to an organization on Settler',
  text: `You are invited to join an organization on Settler:
${slug}

This token lets you accept, once and within two days. Choose a password
with it, or use the one you have if you have an account already.

token=${token}

If you do not know who invites you, you need do nothing.
`,
});
