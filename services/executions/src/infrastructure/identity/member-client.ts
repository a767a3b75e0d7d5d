/** Asks identity whether somebody is a member as of now: what events say would refuse whoever joined a moment ago. */
import { memberState } from '@settler/contracts/internal/members';
import type { Members } from '../../application/ports.ts';
import type { InternalCall } from '../internal-call.ts';

export const createMemberClient = (identity: InternalCall): Members => ({
  isActive: async (userId, principal) => {
    const answer = await identity.get(`/internal/members/${userId}`, principal);
    if (answer.statusCode !== 200) throw new Error(`identity answered ${answer.statusCode} to a member`);
    return memberState.parse(JSON.parse(answer.text)).active;
  },
});
