import { describe, expect, test } from 'vitest';
import { matchedByPeople } from './matched-by-people.ts';
import { euro, type Fields } from './running-service.ts';

const { executions, newJobId, forgetful, patient, match, undo, outcomesOf, exceptionsOf, holds, itemsOf } = matchedByPeople();

describe('what a match by hand has left over of a pair that differed', () => {
  const [s1, s2, t1, t9] = [euro('s1', '10.00'), euro('s2', '25.00'), euro('t1', '25.00'), euro('t9', '29.00', { reference: 'other' })];
  const leftOver = async (ofJob?: Set<string>) => {
    const jobId = newJobId();
    ofJob?.add(jobId);
    const { id } = await executions().run(jobId, [s1, s2], [t1, t9]);
    expect(await outcomesOf(id)).toEqual(['mismatched s1 t1', 'missing_in_source t9', 'missing_in_target s2']);
    const made = await executions().must(201, match(id, ['s2'], ['t1']));
    return { jobId, id: id as string, matchId: made.id as string };
  };
  const later = async (jobId: string, source: readonly Fields[], target: readonly Fields[]): Promise<string> =>
    (await executions().run(jobId, source, target)).id;
  const openOf = async (jobId: string) => (await exceptionsOf(jobId)).filter((one: string) => one.startsWith('open'));
  const ofS1 = async (jobId: string) =>
    (await executions().exceptionsOf(jobId)).find(
      ({ records }: { records: Fields[] }) => records.length === 1 && records[0]?.['id'] === 's1',
    );
  const asApart = ['missing_in_source t1', 'missing_in_source t9', 'missing_in_target s1', 'missing_in_target s2'];

  test('is with the other again while it is as it was, whatever runs there were', async () => {
    const { jobId, id, matchId } = await leftOver();
    await later(jobId, [{ ...s1, amount: '12.00' }], []);
    await later(jobId, [s1], []);
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(['mismatched s1 t1', 'missing_in_source t9', 'missing_in_target s2']);
    expect(await openOf(jobId)).toEqual(['open  s1 t1', 'open  s2', 'open  t9']);
    expect(await itemsOf(jobId)).toEqual(['s2', 't9']);
    await holds(id);
  });

  test('stays as a later run has brought it, and meets whoever it fits as it is now', async () => {
    const { jobId, id, matchId } = await leftOver();
    await later(jobId, [{ ...s1, amount: '50.00' }], []);
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(asApart);
    expect(await openOf(jobId)).toEqual(['open  s1', 'open  s2', 'open  t1', 'open  t9']);
    expect(await ofS1(jobId)).toMatchObject({ status: 'open', amount: '50.00' });
    expect(await itemsOf(jobId)).toEqual(['s1', 's2', 't1', 't9']);
    await holds(id);
    const met = await later(jobId, [], [euro('t5', '50.00', { reference: '1' })]);
    expect(await outcomesOf(met)).toContain('matched s1 t5');
    expect(await openOf(jobId)).toEqual(['open  s2', 'open  t1', 'open  t9']);
  });

  test('stays as a run before the last has brought it where nothing is carried forward', async () => {
    const { jobId, id, matchId } = await leftOver(forgetful);
    await later(jobId, [{ ...s1, amount: '50.00' }], []);
    await later(jobId, [], []);
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(asApart);
    expect(await ofS1(jobId)).toMatchObject({ status: 'open', amount: '50.00' });
  });

  test('stays in the match that a later run has found for it', async () => {
    const { jobId, id, matchId } = await leftOver();
    const met = await later(jobId, [], [euro('t5', '10.00', { reference: '1' })]);
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(asApart);
    expect(await outcomesOf(met)).toContain('matched s1 t5');
    expect(await openOf(jobId)).toEqual(['open  s2', 'open  t1', 'open  t9']);
    expect(await itemsOf(jobId)).toEqual(['s2', 't1', 't9']);
    await holds(id);
    const last = await later(jobId, [s1, s2], [t1]);
    expect(await outcomesOf(last)).toEqual(['matched s1', 'missing_in_source t1', 'missing_in_source t9', 'missing_in_target s2']);
  });

  test.each([
    { where: 'the same run', isLater: false, alone: asApart.filter((one) => !/s1|t9/.test(one)), found: 'matched s1 t9' },
    { where: 'a later one', isLater: true, alone: asApart, found: 'missing_in_target s1' },
  ])('stays in a match that was made by hand in $where, and may be set free after it', async ({ isLater, alone, found }) => {
    const { jobId, id, matchId } = await leftOver();
    const in2 = isLater ? await later(jobId, [], []) : id;
    const second = await executions().must(201, match(in2, ['s1'], ['t9']));
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(expect.arrayContaining([...alone, found]));
    expect(await openOf(jobId)).toEqual(['open  s2', 'open  t1']);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 's2', 't1', 't9 retired']);
    await holds(id);
    expect((await undo(in2, second.id)).status).toBe(204);
    expect(await openOf(jobId)).toEqual(['open  s1', 'open  s2', 'open  t1', 'open  t9']);
    expect(await itemsOf(jobId)).toEqual(['s1', 's2', 't1', 't9']);
    await holds(in2);
  });

  test('stays in a pair that differs, which a later run has found', async () => {
    const { jobId, id, matchId } = await leftOver();
    await later(jobId, [], [euro('t7', '15.00', { reference: '1' })]);
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(asApart);
    expect(await openOf(jobId)).toEqual(['open  s1 t7', 'open  s2', 'open  t1', 'open  t9']);
    await holds(id);
  });

  test('stays settled where a person has settled it', async () => {
    const { jobId, id, matchId } = await leftOver();
    const { id: exceptionId } = await ofS1(jobId);
    await executions().must(200, executions().api.post(`/v1/exceptions/${exceptionId}/resolve`, { resolution: 'written_off' }));
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await ofS1(jobId)).toMatchObject({ id: exceptionId, status: 'resolved', resolution: 'written_off' });
    expect(await openOf(jobId)).toEqual(['open  s2', 'open  t1', 'open  t9']);
    expect(await itemsOf(jobId)).toEqual(['s1 retired', 's2', 't1', 't9']);
  });

  test.each([
    { as: 'matched by the rules', byHand: false, items: ['s2', 't1', 't9'] },
    { as: 'matched by hand', byHand: true, items: ['s1 retired', 's2', 't1', 't5 retired', 't9'] },
  ])('stays $as where it had no exception, because its counterpart might still come', async ({ byHand, items }) => {
    const { jobId, id, matchId } = await leftOver(patient);
    const met = await later(jobId, [], [euro('t5', '10.00', { reference: byHand ? 'other' : '1' })]);
    if (byHand) await executions().must(201, match(met, ['s1'], ['t5']));
    expect((await undo(id, matchId)).status).toBe(204);
    expect(await outcomesOf(id)).toEqual(asApart);
    expect(await openOf(jobId)).toEqual([]);
    expect(await itemsOf(jobId)).toEqual(items);
  });
});

test('what a match by hand has left over of several candidates stays matched where it was matched since', async () => {
  const jobId = newJobId();
  const { id } = await executions().run(jobId, [euro('s1', '10.00')], [euro('t1', '10.00'), euro('u1', '10.00', { reference: '1' })]);
  expect(await outcomesOf(id)).toEqual(['ambiguous s1 t1 u1']);
  const made = await executions().must(201, match(id, ['s1'], ['t1']));
  const met = await executions().run(jobId, [euro('s2', '10.00', { reference: '1' })], []);
  expect(await outcomesOf(met.id)).toEqual(['matched s2 u1']);
  expect((await undo(id, made.id)).status).toBe(204);
  expect(await outcomesOf(id)).toEqual(['missing_in_source t1', 'missing_in_source u1', 'missing_in_target s1']);
  expect(await exceptionsOf(jobId)).toEqual(['open  s1', 'open  t1', 'resolved matched_later u1', 'resolved matched_manually s1 t1 u1']);
  expect(await itemsOf(jobId)).toEqual(['s1', 't1']);
  await holds(id);
});
