/** What mails say, and when one that could not be sent is tried again. */

/** What a request asks for. Whether there is such an account is found out when it is sent: the request must not tell. */
export interface MailOrder {
  readonly kind: 'passwordReset';
  readonly email: string;
}

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly token: string;
}

export const passwordResetSeconds = 3600;
/** With the delays below, about as long as a mail server may be away for a day. */
export const attemptsMax = 30;
const delayMsMax = 3600_000;

/** How long to wait after so many attempts; undefined where it is given up. */
export const retryDelayMs = (attempts: number, firstMs: number): number | undefined =>
  attempts >= attemptsMax ? undefined : Math.min(firstMs * 2 ** (attempts - 1), delayMsMax);

export const passwordResetMail = (to: string, token: string): Mail => ({
  to,
  token,
  subject: 'Choose a new password',
  // ASCII in short lines, so that it needs no encoding, which would break the token in the mail's source.
  text: `Somebody, probably you, asked for a new password for Settler.
This token lets you choose one, once and within an hour:

token=${token}

If it was not you, you need do nothing: your password stays as it is.
`,
});
