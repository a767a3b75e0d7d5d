import { createHmac } from 'node:crypto';
import { derivedKey } from '@settler/chassis/service';
import { waitFor } from '@settler/harness';
import type pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { emptyHead, headSeal } from '../src/domain/audit-chain.ts';
import { type Identity, type Person, shareIdentity } from './setup.ts';

let identity: Identity;
let admin: pg.Client;
let person: Person;

beforeAll(async () => {
  identity = await shareIdentity();
  admin = await identity.database('admin');
});
afterAll(() => identity.dispose());

const verify = async (from: 'start' | 'checkpoint') => (await person.api.get(`/v1/audit-events/verify?from=${from}`)).body;
const change = (text: string) => admin.query(text, [person.organizationId]);
const entries = async () => Number((await change('select entries from audit_heads where organization_id = $1')).rows[0].entries);

/** Until the trail has one entry more for each new name of the organization. */
const append = async (count: number) => {
  const before = await entries();
  for (let name = 1; name <= count; name += 1)
    expect((await person.api.patch('/v1/organization', { name: `Name ${before}.${name}` })).status).toBe(200);
  await waitFor(async () => (await entries()) === before + count, { what: 'the entries to be in the trail' });
};

/** The organization, and its owner. */
const registrationEntries = 2;
/** Six entries that were verified, and three after them. */
const verifiedMax = 6;
beforeEach(async () => {
  person = await identity.register();
  await waitFor(async () => (await entries()) === registrationEntries, { what: 'the entries of the registration' });
  await append(verifiedMax - (await entries()));
  expect(await verify('start')).toEqual({ valid: true, entries: verifiedMax });
  await append(3);
});

const at = (position: number) => `organization_id = $1 and position = ${position}`;
const move = (from: number, to: number) => `update audit_entries set position = ${to} where ${at(from)}`;
const edits: Record<string, (position: number) => readonly string[]> = {
  edited: (position) => [`update audit_entries set action = 'job.created' where ${at(position)}`],
  removed: (position) => [`delete from audit_entries where ${at(position)}`],
  'given another hash': (position) => [`update audit_entries set hash = 'x' where ${at(position)}`],
  'moved behind the next': (position) => [move(position, -1), move(position + 1, position), move(-1, position + 1)],
};
const make = async (edit: (position: number) => readonly string[], position: number) => {
  for (const statement of edit(position)) await change(statement);
};

describe('the audit trail', () => {
  test('is whole, all of it and from where it was verified last', async () => {
    const answer = await verify('checkpoint');
    expect(answer).toEqual({ valid: true, entries: 9, checkpoint: { entries: verifiedMax, verifiedAt: expect.any(String) } });
    // Which moved the checkpoint.
    expect(await verify('checkpoint')).toMatchObject({ valid: true, entries: 9, checkpoint: { entries: 9 } });
    expect(await verify('start')).toEqual({ valid: true, entries: 9 });
  });

  test.each(Object.entries(edits))('finds an entry that was %s after the checkpoint, either way', async (_what, edit) => {
    await make(edit, 7);
    const found = { valid: false, firstBadId: expect.stringMatching(/^aud_/) };
    expect(await verify('checkpoint')).toMatchObject(found);
    expect(await verify('start')).toMatchObject(found);
    // And leaves no checkpoint behind it.
    expect((await change('select max(entries) from audit_checkpoints where organization_id = $1')).rows[0].max).toBe(String(verifiedMax));
  });

  test.each(Object.entries(edits))('finds an entry that was %s before the checkpoint when it reads from the start', async (_what, edit) => {
    await make(edit, 2);
    expect(await verify('start')).toMatchObject({ valid: false, firstBadId: expect.stringMatching(/^aud_/) });
    // What was read once is not read again: the answer says how much that is.
    expect(await verify('checkpoint')).toMatchObject({ valid: true, checkpoint: { entries: verifiedMax } });
  });

  test.each([
    ['after', 7],
    ['before', 3],
  ])('finds that its end %s the checkpoint was cut off', async (_where, last) => {
    await change(`delete from audit_entries where organization_id = $1 and position > ${last}`);
    expect(await verify('start')).toMatchObject({ valid: false, entries: last });
    expect((await verify('checkpoint')).valid).toBe(false);
  });

  test('finds that it is shorter than its checkpoint, where nothing has come since', async () => {
    expect(await verify('start')).toEqual({ valid: true, entries: 9 });
    await change(`delete from audit_entries where ${at(9)}`);
    expect(await verify('start')).toEqual({ valid: false, entries: 8 });
    expect(await verify('checkpoint')).toMatchObject({ valid: false, checkpoint: { entries: 9 } });
    // What comes then stands on nothing.
    await append(1);
    const { rows } = await change(`select id from audit_entries where ${at(10)}`);
    expect(await verify('start')).toMatchObject({ valid: false, firstBadId: rows[0].id });
    expect(await verify('checkpoint')).toMatchObject({ valid: false, firstBadId: rows[0].id });
  });

  test.each([
    ['the newest checkpoint', 9],
    ['an older one', verifiedMax],
  ])('finds that another entry stands at %s', async (_where, position) => {
    expect(await verify('start')).toEqual({ valid: true, entries: 9 });
    await make(edits['given another hash'] ?? (() => []), position);
    const { rows } = await change(`select id from audit_entries where ${at(position)}`);
    expect(await verify('checkpoint')).toMatchObject({ valid: false, firstBadId: rows[0].id });
    expect(await verify('start')).toMatchObject({ valid: false, firstBadId: rows[0].id });
  });

  describe('that was put back to an earlier day, head and all,', () => {
    beforeEach(async () => {
      const { rows } = await change('select entries, hash, seal from audit_heads where organization_id = $1');
      await append(2);
      expect((await verify('start')).valid).toBe(true);
      await change(`delete from audit_entries where organization_id = $1 and position > 9`);
      await admin.query('update audit_heads set entries = $2, hash = $3, seal = $4 where organization_id = $1', [
        person.organizationId,
        rows[0].entries,
        rows[0].hash,
        rows[0].seal,
      ]);
    });

    test('is found out', async () => {
      expect(await verify('start')).toEqual({ valid: false, entries: 9 });
      expect((await verify('checkpoint')).valid).toBe(false);
    });

    test.each([
      ['as many', 2],
      ['more', 4],
    ])('is found out when %s entries have come in place of those that were verified', async (_what, count) => {
      await append(count);
      // The eleventh is the one up to which all was well.
      const { rows } = await change(`select id from audit_entries where ${at(11)}`);
      expect(await verify('start')).toEqual({ valid: false, entries: 9 + count, firstBadId: rows[0].id, alteredAfter: 9 });
      expect((await verify('checkpoint')).valid).toBe(false);
    });
  });

  describe('whose head somebody without the key has written', () => {
    const cut = async (last: number) => {
      await change(`delete from audit_entries where organization_id = $1 and position > ${last}`);
      await change(`delete from audit_checkpoints where organization_id = $1 and entries > ${last}`);
    };
    const setHead = (last: number, seal = 'seal') =>
      change(
        `update audit_heads set entries = ${last}, seal = ${seal},
                hash = coalesce((select hash from audit_entries where ${at(last)}), '') where organization_id = $1`,
      );

    test.each([
      ['where its last checkpoint was', verifiedMax],
      ['before every checkpoint', 4],
    ])('is invalid for ever when it was cut off %s, and takes what comes', async (_where, last) => {
      await cut(last);
      await setHead(last);
      expect(await verify('start')).toEqual({ valid: false, entries: last });
      for (const count of [1, 2]) {
        await append(1);
        expect(await verify('start')).toEqual({ valid: false, entries: last + count, alteredAfter: last });
        expect((await verify('checkpoint')).valid).toBe(false);
      }
      const said = () =>
        identity.service.logs().filter((line) => line.includes('has altered the head') && line.includes(person.organizationId));
      await waitFor(async () => said().length > 0, { what: 'the line' });
      expect(said()).toHaveLength(1);
    });

    test('is found out where all of it was removed', async () => {
      await cut(0);
      await setHead(0);
      await append(1);
      expect(await verify('start')).toEqual({ valid: false, entries: 1, alteredAfter: 0 });
    });

    test('is found out where all of it was removed, and its head put back to the first moment', async () => {
      await cut(0);
      const { IDENTITY_SECRET: secret = '' } = identity.island.environmentFor('identity');
      const key = derivedKey(secret, 'audit chain');
      const seal = headSeal(person.organizationId, emptyHead, (text) => createHmac('sha256', key).update(text).digest('base64url'));
      await setHead(0, `'${seal}'`);
      // Its organization may be so new that nothing has come yet.
      expect(await verify('start')).toEqual({ valid: true, entries: 0 });
      await change("update organizations set created_at = created_at - interval '2 days' where organization_id = $1");
      expect(await verify('start')).toEqual({ valid: false, entries: 0 });
      await append(1);
      expect(await verify('start')).toEqual({ valid: false, entries: 1 });
    });

    test('is not sealed again by a mark that was made up', async () => {
      await cut(4);
      await setHead(4, "'altered 2 x'");
      await append(1);
      expect(await verify('start')).toEqual({ valid: false, entries: 5, alteredAfter: 4 });
    });
  });

  test('finds an entry whose time was changed by less than a millisecond, or keeps the time that it had', async () => {
    await change(`update audit_entries set at = at + interval '400 microseconds' where ${at(3)}`);
    expect((await change(`select extract(microseconds from at)::int % 1000 as finer from audit_entries where ${at(3)}`)).rows).toEqual([
      { finer: 0 },
    ]);
    await change(`update audit_entries set at = at + interval '600 microseconds' where ${at(3)}`);
    expect(await verify('start')).toMatchObject({ valid: false, firstBadId: expect.stringMatching(/^aud_/) });
  });

  test.each([
    ['its count', 'entries = entries + 1'],
    [
      'its hash',
      'hash = (select hash from audit_entries a where a.organization_id = audit_checkpoints.organization_id and a.position = 8)',
    ],
    ['its time', "verified_at = verified_at + interval '1 day'"],
    ['its seal', "seal = 'x'"],
  ])('finds a checkpoint that was altered in %s, and does not go on from it', async (_what, set) => {
    await change(`update audit_entries set action = 'job.created' where ${at(2)}`);
    await change(`update audit_checkpoints set ${set} where organization_id = $1`);
    const found = { valid: false, badCheckpoints: 1, firstBadId: expect.stringMatching(/^aud_/) };
    expect(await verify('checkpoint')).toMatchObject(found);
    expect(await verify('start')).toMatchObject(found);
  });

  test("cannot be given another organization's checkpoint", async () => {
    const { organizationId } = await identity.register();
    await admin.query('update audit_checkpoints set organization_id = $2 where organization_id = $1', [
      person.organizationId,
      organizationId,
    ]);
    const theirs = identity.as({ organizationId });
    expect((await theirs.get('/v1/audit-events/verify?from=checkpoint')).body).toMatchObject({ valid: false, badCheckpoints: 1 });
  });

  test('lets the service itself change or remove no checkpoint', async () => {
    const app = await identity.database('app');
    await app.query("select set_config('app.organization_id', $1, false)", [person.organizationId]);
    await expect(app.query("update audit_checkpoints set hash = 'x'")).rejects.toThrow('permission denied');
    await expect(app.query('delete from audit_checkpoints')).rejects.toThrow('permission denied');
  });
});
