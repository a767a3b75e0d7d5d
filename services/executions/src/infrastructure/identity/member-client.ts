/** Asks identity whether somebody is a member as of now: what events say would refuse whoever joined a moment ago. */
import { memberState } from '@settler/contracts/internal/members';
import type { Members } from '../../application/ports.ts';
import type { InternalCall } from '../internal-call.ts';

export const createMemberClient = (identity: InternalCall): Members => ({
  isActive: async (userId, principal) => {
    const { text } = await identity.get(`/internal/members/${userId}`, principal, [200]);
    return memberState.parse(JSON.parse(text)).active;
  },
});
