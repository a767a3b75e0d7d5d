import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';
import type { removeTotp } from '../application/commands/remove-totp.ts';
import type { setUpTotp } from '../application/commands/set-up-totp.ts';
import { totpBeginnings, totpConfirmations, totpRemovals } from './examples.ts';
import { password, totp } from './shapes.ts';

export interface TotpNeeds {
  readonly setUp: ReturnType<typeof setUpTotp>;
  readonly remove: ReturnType<typeof removeTotp>;
}

const noStore = { 'cache-control': 'no-store' };
const begun = z
  .object({
    secret: z.string().optional().describe('In base32, as authenticators take it. Shown this once.'),
    otpauthUri: z.string().optional().describe('The same as authenticators read it from a picture.'),
  })
  .meta({ id: 'TotpSecret' });
const confirmed = z
  .object({ recoveryCodes: z.array(z.string()).optional().describe('Each counts once in place of a code. Shown this once.') })
  .meta({ id: 'RecoveryCodes' });

export const totpRoutes = (endpoint: Endpoints['endpoint'], { setUp, remove }: TotpNeeds): void => {
  endpoint('setUpTotp', {
    description:
      'Nothing changes until a code of the secret has been confirmed; asking again makes another secret. `conflict` where codes are on already. A session whose login is more than 15 minutes ago takes the password; a wrong one counts as a failed login does.',
    body: z.strictObject({ password: password.optional().describe('Of the account. It may be left out for 15 minutes after the login.') }),
    answers: { 200: begun },
    examples: { bodies: totpBeginnings },
    prepare: ({ body, principal, address }) => setUp.begin.admit(body.password, { principal, address }),
    handle: async ({ principal, address }, account) => ({
      status: 200,
      headers: noStore,
      body: await setUp.begin.complete(account, { principal, address }),
    }),
  });

  endpoint('confirmTotp', {
    description:
      'From now on a login takes a code. The answer has ten recovery codes, this once. A wrong code is `unauthenticated` and counts as a failed login does; `conflict` where no secret was asked for, or codes are on already.',
    body: z.strictObject({ code: totp }),
    answers: { 200: confirmed },
    examples: { bodies: totpConfirmations, answers: { 200: { recoveryCodes: ['k7m2-9xqd-4r8t', 'p3vw-6hna-2c5y'] } } },
    prepare: ({ body, principal, address }) => setUp.confirm.admit(body.code, { principal, address }),
    handle: async ({ principal, address }, enrolment) => ({
      status: 200,
      headers: noStore,
      body: { recoveryCodes: await setUp.confirm.complete(enrolment, { principal, address }) },
    }),
  });

  endpoint('removeTotp', {
    description:
      'Takes what a login would: the password and a code. `not_found` where codes are not on; a password of fewer than 15 characters has to be changed first: `validation_failed`. Recovery codes are over.',
    refuses: [404],
    body: z.strictObject({
      password: password.describe('Of the account.'),
      code: totp.describe('Of the authenticator, or a recovery code.'),
    }),
    answers: { 204: null },
    examples: { bodies: totpRemovals },
    prepare: ({ body, ifMatch, principal, address }) => remove.admit(body, ifMatch, { principal, address }),
    handle: async ({ principal, address }, account) => {
      await remove.complete(account, { principal, address });
      return { status: 204 };
    },
  });
};
