import { describe, expect, test } from 'vitest';
import { duringRun } from './during-run.ts';
import { matchedByPeople } from './matched-by-people.ts';
import { euro } from './running-service.ts';

const { executions, newJobId, forgetful, match, resultsOf, outcomesOf, exceptionsOf, holds, itemsOf } = matchedByPeople();

describe('a match by hand that ends because one of its records says something else', () => {
  const [a, b] = [euro('a', '10.00', { reference: 'r' }), euro('b', '12.00', { reference: 'r' })];
  const shipped = { ...a, description: 'shipped' };
  const openIn = async (jobId: string) =>
    (await exceptionsOf(jobId)).flatMap((told: string) => (told.startsWith('open  ') ? [told.slice('open  '.length)] : []));

  test('has the other one open again, where the two had differed', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [a], [b]);
    await executions().must(201, match(id, ['a'], ['b'], 'rounding'));
    const changed = await executions().run(jobId, [shipped], []);
    expect(await openIn(jobId)).toEqual(['a', 'b']);
    expect(await itemsOf(jobId)).toEqual(['a', 'b']);
    await holds(changed.id);
    const [trend] = (await executions().must(200, executions().api.get(`/v1/reports/trend?jobId=${jobId}&limit=1`))).data;
    expect(trend.opened.map(({ category, count }: { category: string; count: number }) => `${category} ${count}`)).toEqual([
      'missing_in_source 1',
      'missing_in_target 1',
    ]);
    const next = await executions().run(jobId, [], []);
    expect(await outcomesOf(next.id)).toEqual(['mismatched a b']);
    expect(await openIn(jobId)).toEqual(['a b']);
    await holds(next.id);
  });

  test('has it open again, where nobody could tell which of two it was, and where it was taken from a third', async () => {
    const unclear = newJobId();
    const first = await executions().run(unclear, [a], [euro('b', '10.00', { reference: 'r' }), euro('c', '10.00', { reference: 'r' })]);
    expect(await outcomesOf(first.id)).toEqual(['ambiguous a b c']);
    await executions().must(201, match(first.id, ['a'], ['b']));
    await executions().run(unclear, [{ ...a, amount: '90.00' }], []);
    expect(await openIn(unclear)).toEqual(['a c', 'b']);
    expect(await itemsOf(unclear)).toEqual(['b']);

    const taken = newJobId();
    const second = await executions().run(taken, [a, euro('c', '20.00', { reference: 'q' })], [euro('d', '10.00', { reference: 'q' })]);
    await executions().must(201, match(second.id, ['a'], ['d']));
    const changed = await executions().run(taken, [shipped], []);
    expect(await openIn(taken)).toEqual(['a', 'c', 'd']);
    expect(await itemsOf(taken)).toEqual(['a', 'c', 'd']);
    const next = await executions().run(taken, [], []);
    expect(await outcomesOf(next.id)).toEqual(['mismatched c d', 'missing_in_target a']);
    for (const { id } of [second, changed, next]) await holds(id);
  });

  test('has it open again, where nothing is carried forward', async () => {
    const jobId = newJobId();
    forgetful.add(jobId);
    const { id } = await executions().run(jobId, [a], [b]);
    await executions().must(201, match(id, ['a'], ['b']));
    await executions().run(jobId, [shipped], []);
    expect(await openIn(jobId)).toEqual(['a', 'b']);
    expect(await itemsOf(jobId)).toEqual([]);
  });

  test('has it open again, where it was made while the run was going on that has the other version', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [a, euro('c', '20.00', { reference: 'q' })], [euro('d', '10.00', { reference: 'q' })]);
    const during = await duringRun(executions(), jobId, () => match(id, ['a'], ['d']), { source: [shipped], target: [] });
    expect(during.status).toBe(201);
    expect(await openIn(jobId)).toEqual(['a', 'c', 'd']);
    expect(await itemsOf(jobId)).toEqual(['a', 'c', 'd']);
    await holds(during.id);
  });

  test('leaves what was settled before it to whoever wants to reopen that', async () => {
    const jobId = newJobId();
    const { id } = await executions().run(jobId, [a], [b]);
    await executions().must(201, match(id, ['a'], ['b']));
    await executions().run(jobId, [shipped], []);
    const about = (await executions().exceptionsOf(jobId, '&status=open')).find(
      ({ records: [record] }: { records: { id: string }[] }) => record?.id === 'b',
    );
    await executions().must(200, executions().api.post(`/v1/exceptions/${about.id}/resolve`, { resolution: 'written_off' }));
    expect((await resultsOf(id)).map(({ outcome }) => outcome)).toEqual(['matched']);
    const { status } = await executions().must(200, executions().api.post(`/v1/exceptions/${about.id}/reopen`));
    expect(status).toBe('open');
  });
});
