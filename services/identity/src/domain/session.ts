/**
 * What becomes of a refresh token that is shown. Tokens of a session are numbered generations; the newest is exchanged for the
 * next, and the one before it gives that same successor again for a while, because clients with several tabs or a lost answer
 * do ask twice. An older one is in two hands, of which one is not the user's: the session ends.
 */
export interface ShownToken {
  readonly generation: number;
  /** When its successor was made. */
  readonly replacedAt: Date | null;
}

export interface Session {
  readonly generation: number;
  readonly expiresAt: Date;
  readonly endedAt: Date | null;
}

export type RefreshDecision = 'rotate' | 'repeat' | 'reuse' | 'over';

export const decideRefresh = (session: Session, token: ShownToken, now: Date, graceMs: number): RefreshDecision => {
  if (session.endedAt !== null || session.expiresAt <= now) return 'over';
  if (token.generation === session.generation) return 'rotate';
  if (token.replacedAt !== null && now.getTime() - token.replacedAt.getTime() <= graceMs) return 'repeat';
  return 'reuse';
};
