import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { signedHeaders } from '../../src/domain/signature.ts';
import { isKnown, matches } from '../../src/domain/subscription.ts';

const hmac = (key: Uint8Array, text: string) => createHmac('sha256', key).update(text).digest('base64');

describe('signatures', () => {
  test('the reference library of Standard Webhooks accepts them, with one secret or during a rotation with two', () => {
    const secrets = [Buffer.alloc(24, 1), Buffer.alloc(24, 2)];
    const body = '{"type":"execution.completed","timestamp":"2026-04-01T00:00:00.000Z","data":{"é":1}}';
    const headers = { ...signedHeaders('evt_1', new Date(), body, secrets, hmac) };
    for (const secret of secrets) expect(new Webhook(`whsec_${secret.toString('base64')}`).verify(body, headers)).toEqual(JSON.parse(body));
    const stranger = new Webhook(`whsec_${Buffer.alloc(24, 3).toString('base64')}`);
    expect(() => stranger.verify(body, headers)).toThrow();
    expect(() => new Webhook(`whsec_${secrets[0]?.toString('base64')}`).verify(`${body} `, headers)).toThrow();
  });
});

describe('subscriptions', () => {
  test.each([
    [['*'], 'job.created', true],
    [['job.created'], 'job.created', true],
    [['job.*'], 'job.created', true],
    [['job.*'], 'jobs.created', false],
    [['execution.*', 'exception.opened'], 'exception.opened', true],
    [['execution.*'], 'exception.opened', false],
  ])('%j and %s: %s', (patterns, type, expected) => expect(matches(patterns, type)).toBe(expected));

  test('a pattern that can never match is known as such', () => {
    expect(isKnown('job.*', ['job.created'])).toBe(true);
    expect(isKnown('webhook.*', ['job.created'])).toBe(false);
    expect(isKnown('job', ['job.created'])).toBe(false);
  });
});
