import { describe, expect, it } from 'vitest';
import {
  changeException,
  type ExceptionState,
  type ExceptionStatus,
  isSettledBy,
  reopenException,
  resolveException,
} from '../../src/domain/exception-life.ts';

const inState = (status: ExceptionStatus): ExceptionState => ({
  status,
  severity: 'low',
  severityIsSet: false,
  assigneeId: null,
  resolution: status === 'resolved' ? 'written_off' : null,
});
const acts = {
  takeUp: (state: ExceptionState) => changeException(state, { status: 'in_progress' }),
  putBack: (state: ExceptionState) => changeException(state, { status: 'open' }),
  dismiss: (state: ExceptionState) => changeException(state, { status: 'dismissed' }),
  resolve: (state: ExceptionState) => resolveException(state, 'other', null),
  reopen: reopenException,
};

describe('the life of an exception', () => {
  it.each([
    ['open', { takeUp: 'in_progress', putBack: 'open', dismiss: 'dismissed', resolve: 'resolved', reopen: 'refused' }],
    ['in_progress', { takeUp: 'in_progress', putBack: 'open', dismiss: 'dismissed', resolve: 'resolved', reopen: 'refused' }],
    ['resolved', { takeUp: 'refused', putBack: 'refused', dismiss: 'refused', resolve: 'refused', reopen: 'open' }],
    ['dismissed', { takeUp: 'refused', putBack: 'refused', dismiss: 'refused', resolve: 'refused', reopen: 'open' }],
  ] as const)('from %s it goes where the drawing says, and nowhere else', (status, wanted) => {
    const reached = Object.entries(acts).map(([name, act]) => {
      const made = act(inState(status));
      return [name, 'refused' in made ? 'refused' : made.state.status];
    });
    expect(Object.fromEntries(reached)).toEqual(wanted);
  });

  it('what changes nothing is no entry, and a severity that is set to what it was is set all the same', () => {
    expect(changeException(inState('open'), { status: 'open', assigneeId: null })).toMatchObject({ entries: [] });
    const weighed = changeException(inState('open'), { severity: 'low' });
    expect(weighed).toMatchObject({ state: { severityIsSet: true }, entries: [{ action: 'severity_changed' }] });
    if ('refused' in weighed) return;
    expect(changeException(weighed.state, { severity: 'low' })).toMatchObject({ entries: [] });
  });

  it('only what is late stays among the open items when it is resolved', () => {
    const recordAfter = (resolution: Parameters<typeof resolveException>[1]) => {
      const made = resolveException(inState('open'), resolution, null);
      return 'refused' in made ? made.refused : made.record;
    };
    expect(recordAfter('expected_timing')).toBeUndefined();
    for (const resolution of ['matched_manually', 'written_off', 'duplicate', 'corrected_at_source', 'other'] as const)
      expect(recordAfter(resolution)).toBe('retired');
    expect(reopenException(inState('resolved'))).toMatchObject({ record: 'restored', state: { resolution: null } });
  });

  it('a decision holds for what says the same, and neither for another fault nor for rows that say nothing', () => {
    const said = { category: 'invalid_record', reason: 'the amount abc is no number', records: [{ id: 'a', amount: 'abc' }] };
    const decided = { ...said, resolution: 'other' as const };
    expect(isSettledBy(decided, said)).toBe(true);
    expect(isSettledBy({ ...decided, resolution: null }, said)).toBe(true);
    expect(isSettledBy({ ...decided, resolution: 'matched_later' }, said)).toBe(false);
    expect(isSettledBy(decided, { ...said, reason: 'the id is empty' })).toBe(false);
    expect(isSettledBy(decided, { ...said, records: [{ id: 'a', amount: 'abd' }] })).toBe(false);
    const empty = { ...said, records: [] };
    expect(isSettledBy({ ...empty, resolution: 'other' }, empty)).toBe(false);
  });
});
