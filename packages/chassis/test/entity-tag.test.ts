import type { FastifyRequest } from 'fastify';
import { describe, expect, test } from 'vitest';
import { isUnmodified, readIfMatch, resource, tagged, tagOf } from '../src/entity-tag.ts';
import { Refusal } from '../src/refusal.ts';

const asking = (headers: Readonly<Record<string, string>>) => ({ method: 'GET', headers }) as unknown as FastifyRequest;
const tagFor = (body: object, revision = 7): string => tagOf('GET', resource(200, body, revision), JSON.stringify(body)) ?? 'none';

describe('the tag of a resource', () => {
  test('is another one as soon as anything else is shown, with the revision or without it', () => {
    const tag = tagFor({ done: 1 });
    expect(tag).toMatch(/^"7-[\w-]{22}"$/);
    expect(tagFor({ done: 1 })).toBe(tag);
    expect(tagFor({ done: 2 })).not.toBe(tag);
    expect(isUnmodified(asking({ 'if-none-match': `"1", W/${tag}` }), tag)).toBe(true);
    expect(isUnmodified(asking({ 'if-none-match': '"7"' }), tag)).toBe(false);
  });

  test('is that of the head of an answer too, and any is one that there is', () => {
    const list = { status: 200, body: { data: [] } };
    expect(tagOf('GET', list, '{"data":[]}')).toMatch(/^"[\w-]{22}"$/);
    expect(tagOf('HEAD', list, '{"data":[]}')).toBe(tagOf('GET', list, '{"data":[]}'));
    expect(tagOf('POST', list, '{"data":[]}')).toBe(undefined);
    const head = { method: 'HEAD', headers: { 'if-none-match': tagFor({}) } } as unknown as FastifyRequest;
    expect(isUnmodified(head, tagFor({}))).toBe(true);
    expect(isUnmodified(asking({ 'if-none-match': '*' }), tagFor({}))).toBe(true);
  });

  test('says in If-Match from which revision a change is made, as the revision alone does', () => {
    for (const tag of [tagFor({ done: 1 }), tagFor({ done: 2 }), '"7"']) expect(readIfMatch(asking({ 'if-match': tag }))).toBe(7);
    for (const tag of ['7', 'W/"7"', '"7-"', '"7-short"', `"${'x'.repeat(22)}"`])
      expect(() => readIfMatch(asking({ 'if-match': tag }))).toThrow(Refusal);
  });

  test('is recorded with an answer, so that it outlives what is shown once', () => {
    const first = tagged(resource(201, { id: 'one', secret: 'shown once' }, 1, { location: '/one' }));
    expect(first).toEqual({
      status: 201,
      body: { id: 'one', secret: 'shown once' },
      headers: { location: '/one', etag: tagFor({ id: 'one', secret: 'shown once' }, 1) },
    });
    expect(tagOf('POST', { ...first, body: { id: 'one' } }, '{"id":"one"}')).toBe(first.headers?.['etag']);
    expect(tagged({ status: 204 })).toEqual({ status: 204 });
  });
});
