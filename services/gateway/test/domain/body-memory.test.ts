import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { createBodyMemory } from '../../src/forwarding/body-memory.ts';

const mebibyte = 1024 * 1024;
const answer = () => new EventEmitter() as ServerResponse;

test('an owner has an eighth, and as much again once an answer is over', () => {
  const memory = createBodyMemory(16 * mebibyte);
  const response = answer();
  const take = memory.open('one', response);
  take(mebibyte);
  take(mebibyte);
  const more = memory.open('one', answer());
  expect(() => more(1)).toThrow(expect.objectContaining({ code: 'rate_limited' }));
  expect(() => memory.open('other', answer())(2 * mebibyte)).not.toThrow();
  response.emit('close');
  // What still comes of a body that nobody waits for is not counted any more, and could not be given back.
  take(mebibyte);
  expect(() => more(2 * mebibyte)).not.toThrow();
});

test('any owner may send one body as long as any, and all of them together no more than there is', () => {
  const memory = createBodyMemory(4 * mebibyte);
  const responses = ['a', 'b', 'c', 'd'].map((owner) => {
    const response = answer();
    memory.open(owner, response)(mebibyte);
    return response;
  });
  const late = memory.open('e', answer());
  expect(() => late(1)).toThrow(expect.objectContaining({ code: 'upstream_unavailable' }));
  responses[0]?.emit('close');
  expect(() => late(mebibyte)).not.toThrow();
});
