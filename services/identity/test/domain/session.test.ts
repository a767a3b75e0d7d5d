import { describe, expect, test } from 'vitest';
import { decideRefresh } from '../../src/domain/session.ts';

const now = new Date('2026-04-01T09:30:00.000Z');
const before = (ms: number) => new Date(now.getTime() - ms);
const session = { generation: 3, expiresAt: new Date(now.getTime() + 1), endedAt: null };
const graceMs = 10_000;

describe('a refresh token that is shown', () => {
  test('the newest is exchanged', () => {
    expect(decideRefresh(session, { generation: 3, replacedAt: null }, now, graceMs)).toBe('rotate');
  });

  test('one that was replaced gives the same successor for the grace, and not a moment longer', () => {
    expect(decideRefresh(session, { generation: 2, replacedAt: before(graceMs) }, now, graceMs)).toBe('repeat');
    expect(decideRefresh(session, { generation: 2, replacedAt: before(graceMs + 1) }, now, graceMs)).toBe('reuse');
    // Two more have come since, within the grace: one tab was quick, the other was not.
    expect(decideRefresh(session, { generation: 0, replacedAt: before(graceMs) }, now, graceMs)).toBe('repeat');
    expect(decideRefresh(session, { generation: 0, replacedAt: before(3600_000) }, now, graceMs)).toBe('reuse');
  });

  test('nothing is given once the session is over, however new the token', () => {
    expect(decideRefresh({ ...session, expiresAt: now }, { generation: 3, replacedAt: null }, now, graceMs)).toBe('over');
    expect(decideRefresh({ ...session, endedAt: before(1) }, { generation: 3, replacedAt: null }, now, graceMs)).toBe('over');
    expect(decideRefresh({ ...session, endedAt: before(1) }, { generation: 1, replacedAt: before(3600_000) }, now, graceMs)).toBe('over');
  });
});
