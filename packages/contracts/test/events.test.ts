import { describe, expect, test } from 'vitest';
import { auditExample, auditRecord, doorbell, doorbellExample } from '../src/audit.ts';
import { publicEvents } from '../src/events/catalogue.ts';
import { erasureAcknowledgement, erasureAcknowledgementExample, erasureRequest, erasureRequestExample } from '../src/internal/erasure.ts';
import { runRequest, runRequestExample } from '../src/internal/run-request.ts';

describe('events', () => {
  test.each(publicEvents.map((event) => [event.type, event] as const))('the example of %s is what its schema describes', (_type, event) => {
    expect(event.data.parse(event.example)).toEqual(event.example);
    expect(event.type).toMatch(/^[a-z-]+\.[a-z_]+$/);
    expect(event.description).toMatch(/\.$/);
  });

  test('no two events have the same name', () => {
    expect(new Set(publicEvents.map((event) => `${event.type}.v${event.major}`)).size).toBe(publicEvents.length);
  });

  test('audit entries, doorbells, requests for runs and erasures have examples that hold', () => {
    expect(auditRecord.parse(auditExample)).toEqual(auditExample);
    expect(doorbell.parse(doorbellExample)).toEqual(doorbellExample);
    expect(runRequest.parse(runRequestExample)).toEqual(runRequestExample);
    expect(erasureRequest.parse(erasureRequestExample)).toEqual(erasureRequestExample);
    expect(erasureAcknowledgement.parse(erasureAcknowledgementExample)).toEqual(erasureAcknowledgementExample);
  });
});
