/** How mails leave: by SMTP, or where no server is set, by being read from what the process prints. */
import type { SendMail } from '../../application/ports.ts';

/** All of them together stay below the lease of a mail. */
const timeoutMs = 10_000;

export const createSmtp = async (url: string, from: string): Promise<SendMail> => {
  // Most of those who start it have no mail server, and it is a tenth of what they would load.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return async (id, { to, subject, text }) => {
    // A mail that is sent twice has one id, by which mail servers and programs know it again.
    const headers = { 'Auto-Submitted': 'auto-generated' };
    await transport.sendMail({ from, to: { name: '', address: to }, subject, text, messageId: `<${id}@settler>`, headers });
  };
};

/** For development: one plain line each, which is no log entry and is therefore shown by whoever started the service. */
export const printMail: SendMail = async (_id, { to, subject, token }) => {
  process.stdout.write(`mail to ${to}: ${subject}: token=${token}\n`);
};
