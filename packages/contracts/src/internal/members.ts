/** What executions asks of identity before somebody is given an exception. */
import { z } from 'zod';
import { userId } from '../ids.ts';

/** `GET /internal/members/{userId}`: whether this is a member of the asker's organization, and not shut out of it. */
export const memberState = z.object({ userId, active: z.boolean() });
export type MemberState = z.infer<typeof memberState>;
