import { z } from 'zod';
import { jobId, organizationId } from '../ids.ts';
import { instant } from '../time.ts';
import { defineEvent } from './define.ts';

export const jobStatus = z.enum(['active', 'paused', 'archived']);

const job = z.object({
  jobId,
  organizationId,
  name: z.string(),
  status: jobStatus,
  /** Counts configurations. */
  version: z.number().int().positive(),
  sourceAdapter: z.string(),
  targetAdapter: z.string(),
  updatedAt: instant,
});

const example = {
  jobId: 'job_01jqv8m0c4e7r9t2w5y8a1b3d6',
  organizationId: 'org_01jqv8m0c4e7r9t2w5y8a1b3d6',
  name: 'Shop orders against card payments',
  status: 'active' as const,
  version: 1,
  sourceAdapter: 'csv',
  targetAdapter: 'csv',
  updatedAt: '2026-04-01T09:30:00.000Z',
};

const jobEvent = (event: string, description: string, change: Partial<typeof example> | { status: 'paused' | 'archived' } = {}) =>
  defineEvent({ type: `job.${event}`, major: 1, service: 'jobs', description, data: job, example: { ...example, ...change } });

export const jobCreated = jobEvent('created', 'A job was created, at version 1.');
export const jobUpdated = jobEvent('updated', 'A job was changed; a new configuration is a new version.', { version: 2 });
export const jobPaused = jobEvent('paused', 'A job was paused: its schedule rests.', { status: 'paused' });
export const jobResumed = jobEvent('resumed', 'A paused job was resumed.');
export const jobArchived = jobEvent('archived', 'A job was archived: it can no longer run.', { status: 'archived' });
