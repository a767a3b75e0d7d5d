import { createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type ChainEntry, checkEntry, concludeCheck, emptyHead, entryHash, type Head, headSeal } from '../../src/domain/audit-chain.ts';

const hmacWith = (key: string) => (text: string) => createHmac('sha256', key).update(text).digest('base64url');
const hmac = hmacWith('the key');
const organizationId = 'org_1';

type Link = ChainEntry & { hash: string };

const chainOf = (count: number, key = hmac): { links: Link[]; head: Head & { seal: string } } => {
  const links: Link[] = [];
  for (let position = 1; position <= count; position += 1) {
    const entry: ChainEntry = {
      organizationId,
      position,
      id: `aud_${position}`,
      at: '2026-04-01T09:30:00.000Z',
      actorType: 'user',
      actorId: 'usr_1',
      keyId: null,
      action: 'job.created',
      resourceType: 'job',
      resourceId: `job_${position}`,
      before: null,
      after: '{"version":1}',
    };
    links.push({ ...entry, hash: entryHash(links.at(-1)?.hash ?? '', entry, key) });
  }
  const head = { entries: count, hash: links.at(-1)?.hash ?? '' };
  return { links, head: { ...head, seal: headSeal(organizationId, head, key) } };
};

const verdictOf = (links: readonly Link[], head: (Head & { seal: string }) | undefined) => {
  let check: ReturnType<typeof checkEntry> = emptyHead;
  for (const link of links) check = checkEntry(check, link, hmac);
  return concludeCheck(organizationId, check, head, hmac);
};

describe('the chain of the audit trail', () => {
  test('is valid as it was appended, and when nothing was yet', () => {
    const { links, head } = chainOf(5);
    expect(verdictOf(links, head)).toEqual({ valid: true, entries: 5 });
    expect(verdictOf([], { ...emptyHead, seal: headSeal(organizationId, emptyHead, hmac) })).toEqual({ valid: true, entries: 0 });
  });

  test('every part of an entry is covered', () => {
    const { links, head } = chainOf(3);
    const changes: Partial<Link>[] = [
      { organizationId: 'org_2' },
      { id: 'aud_9' },
      { at: '2026-04-01T09:30:00.001Z' },
      { actorType: 'apiKey' },
      { actorId: 'usr_2' },
      { keyId: 'key_1' },
      { action: 'job.paused' },
      { resourceType: 'file' },
      { resourceId: 'job_9' },
      { before: '{}' },
      { after: '{"version":2}' },
      { hash: 'x' },
    ];
    for (const change of changes) {
      const altered = links.map((link, index) => (index === 1 ? { ...link, ...change } : link));
      expect(verdictOf(altered, head)).toEqual({ valid: false, entries: 3, firstBadId: altered[1]?.id });
    }
  });

  test('a removed, moved, repeated or inserted entry is found where it is', () => {
    const { links, head } = chainOf(4);
    const [first, second, third, fourth] = links as [Link, Link, Link, Link];
    expect(verdictOf([first, third, fourth], head)).toEqual({ valid: false, entries: 3, firstBadId: 'aud_3' });
    expect(verdictOf([first, third, second, fourth], head)).toMatchObject({ valid: false, firstBadId: 'aud_3' });
    expect(verdictOf([first, second, second, third, fourth], head)).toMatchObject({ valid: false, firstBadId: 'aud_2' });
    expect(verdictOf([second, third, fourth], head)).toMatchObject({ valid: false, firstBadId: 'aud_2' });
  });

  test('renumbering what is left does not hide a removal', () => {
    const { links, head } = chainOf(4);
    const renumbered = [links[0], links[2], links[3]].map((link, index) => ({ ...link, position: index + 1 }) as Link);
    expect(verdictOf(renumbered, head)).toMatchObject({ valid: false, firstBadId: 'aud_3' });
  });

  test('cutting the end off is found, even with a head that was set back by someone without the key', () => {
    const { links, head } = chainOf(4);
    const cut = links.slice(0, 3);
    expect(verdictOf(cut, head)).toEqual({ valid: false, entries: 3 });
    expect(verdictOf(cut, { ...head, entries: 3, hash: cut[2]?.hash ?? '' })).toEqual({ valid: false, entries: 3 });
    expect(verdictOf(cut, { ...chainOf(3, hmacWith('a guess')).head, hash: cut[2]?.hash ?? '' })).toEqual({ valid: false, entries: 3 });
  });

  test('removing everything is found, with the head and without it', () => {
    expect(verdictOf([], chainOf(4).head)).toEqual({ valid: false, entries: 0 });
    expect(verdictOf([], undefined)).toEqual({ valid: false, entries: 0 });
  });

  test('a trail that was written anew without the key is not valid', () => {
    const { links, head } = chainOf(3, hmacWith('a guess'));
    expect(verdictOf(links, head)).toMatchObject({ valid: false, firstBadId: 'aud_1' });
  });
});
