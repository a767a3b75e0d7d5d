import type { Endpoints } from '@settler/chassis/endpoint';
import { z } from 'zod';
import type { changePassword } from '../application/commands/change-password.ts';
import { password } from './shapes.ts';

export interface PasswordNeeds {
  readonly change: ReturnType<typeof changePassword>;
}

const changeBody = z.strictObject({ currentPassword: password, newPassword: password });

export const passwordRoutes = (endpoint: Endpoints['endpoint'], { change }: PasswordNeeds): void => {
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
