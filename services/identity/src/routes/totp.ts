import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';
import type { removeTotp } from '../application/commands/remove-totp.ts';
import type { setUpTotp } from '../application/commands/set-up-totp.ts';
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
    answers: { 200: begun },
    handle: async ({ principal, address }) => ({ status: 200, headers: noStore, body: await setUp.begin({ principal, address }) }),
  });

  endpoint('confirmTotp', {
    body: z.strictObject({ code: totp }),
    answers: { 200: confirmed },
    prepare: ({ body, principal, address }) => setUp.confirm.admit(body.code, { principal, address }),
    handle: async ({ principal, address }, enrolment) => ({
      status: 200,
      headers: noStore,
      body: { recoveryCodes: await setUp.confirm.complete(enrolment, { principal, address }) },
    }),
  });

  endpoint('removeTotp', {
    refuses: [404],
    body: z.strictObject({ password, code: totp.describe('Of the authenticator, or a recovery code.') }),
    answers: { 204: null },
    prepare: ({ body, ifMatch, principal, address }) => remove.admit(body, ifMatch, { principal, address }),
    handle: async ({ principal, address }, account) => {
      await remove.complete(account, { principal, address });
      return { status: 204 };
    },
  });
};
