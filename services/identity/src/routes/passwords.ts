import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';
import type { changePassword } from '../application/commands/change-password.ts';
import type { resetPassword } from '../application/commands/reset-password.ts';
import { forgottenPasswords, passwordChanges, passwordResets } from './examples.ts';
import { email, password } from './shapes.ts';

export interface PasswordNeeds {
  readonly change: ReturnType<typeof changePassword>;
  readonly reset: ReturnType<typeof resetPassword>;
  readonly idempotencyScope: (subject: string) => string;
}

const changeBody = z.strictObject({ currentPassword: password.describe('The one there is.'), newPassword: password });

export const passwordRoutes = (endpoint: Endpoints['endpoint'], { change, reset, idempotencyScope }: PasswordNeeds): void => {
  endpoint('forgetPassword', {
    description:
      '202 whatever the address is: nobody learns from it whether there is an account. Where there is one, a mail with a token is on its way; `npm start` prints it. Asking too often for one address is `rate_limited`.',
    body: z.strictObject({ email }),
    examples: { bodies: forgottenPasswords, answers: { 202: {} } },
    answers: { 202: z.object({}).describe('Nothing: neither whether there is such an account, nor whether a mail was sent.') },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body, address }) => reset.order.admit(body.email, address),
    handle: async ({ body }) => {
      await reset.order.complete(body.email);
      return { status: 202, body: {} };
    },
  });

  endpoint('resetPassword', {
    description:
      'The token counts once; one that is over or was never given is `validation_failed` at `token`. A second factor stays on. All sessions of the user end, and who was locked out by wrong passwords is let in again; after wrong one-time codes a recovery code is.',
    body: z.strictObject({ token: z.string().min(1, 'must not be empty').max(200).describe('Of the mail.'), password }),
    examples: { bodies: passwordResets },
    answers: { 204: null },
    idempotencyScope: (body) => idempotencyScope(body.token),
    prepare: ({ body, address }) => reset.admit({ ...body, address }),
    handle: async ({ body, address }, admitted) => {
      await reset.complete({ ...body, address }, admitted);
      return { status: 204 };
    },
  });

  endpoint('changePassword', {
    description:
      'A wrong current password is `unauthenticated`, and counts as a failed login does. Tokens of mails that were asked for are over.',
    body: changeBody,
    examples: { bodies: passwordChanges },
    answers: { 204: null },
    prepare: ({ body, principal, address }) => change.admit(body, { principal, address }),
    handle: async ({ principal, address }, admitted) => {
      await change.complete(admitted, { principal, address });
      return { status: 204 };
    },
  });
};
