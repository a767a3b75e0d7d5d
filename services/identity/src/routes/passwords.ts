import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';
import type { changePassword } from '../application/commands/change-password.ts';
import type { resetPassword } from '../application/commands/reset-password.ts';
import { email, password } from './shapes.ts';

export interface PasswordNeeds {
  readonly change: ReturnType<typeof changePassword>;
  readonly reset: ReturnType<typeof resetPassword>;
  readonly idempotencyScope: (subject: string) => string;
}

const changeBody = z.strictObject({ currentPassword: password, newPassword: password });

export const passwordRoutes = (endpoint: Endpoints['endpoint'], { change, reset, idempotencyScope }: PasswordNeeds): void => {
  endpoint('forgetPassword', {
    body: z.strictObject({ email }),
    answers: { 202: z.object({}).describe('Nothing: neither whether there is such an account, nor whether a mail was sent.') },
    idempotencyScope: (body) => idempotencyScope(body.email),
    prepare: ({ body, address }) => reset.order.admit(body.email, address),
    handle: async ({ body }) => {
      await reset.order.complete(body.email);
      return { status: 202, body: {} };
    },
  });

  endpoint('resetPassword', {
    body: z.strictObject({ token: z.string().min(1, 'must not be empty').max(200), password }),
    answers: { 204: null },
    idempotencyScope: (body) => idempotencyScope(body.token),
    prepare: ({ body, address }) => reset.admit({ ...body, address }),
    handle: async ({ body, address }, admitted) => {
      await reset.complete({ ...body, address }, admitted);
      return { status: 204 };
    },
  });

  endpoint('changePassword', {
    body: changeBody,
    answers: { 204: null },
    prepare: ({ body, principal, address }) => change.admit(body, { principal, address }),
    handle: async ({ principal, address }, admitted) => {
      await change.complete(admitted, { principal, address });
      return { status: 204 };
    },
  });
};
