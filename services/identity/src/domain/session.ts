/**
 * What becomes of a refresh token that is shown. Tokens of a session are numbered generations; the newest is exchanged for the
 * next, and each that was replaced gives the newest again for a while, because clients with several tabs or a lost answer
 * do ask twice. That holds however many generations have come since: one tab may have refreshed and changed the organization, which are two,
 * while another still asks with the token of before. Shown later, it is in two hands, of which one is not the user's: the session ends.
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

/** For so long whoever has a session counts as whoever logged in. */
export const freshLoginMs = 15 * 60_000;
