/**
 * Entity tags: `"<revision>-<digest>"` for a resource. If-Match compares the revision, which says from which state a change was made;
 * If-None-Match all of it, because what is shown moves without any change too: progress, ages, the next run.
 */
import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Answer } from './answer.ts';
import { stringify } from './json-text.ts';
import { validationRefusal } from './problem.ts';
import { Refusal } from './refusal.ts';

/** A single resource, which is answered with its tag. */
export const resource = (
  status: number,
  body: unknown,
  revision: number | bigint,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({ status, body, revision, headers });

/** The revision by itself is one too: clients write it from what they know. */
const tagWithRevision = /^"(\d{1,15})(?:-[\w-]{22})?"$/;

export const readIfMatch = (request: FastifyRequest): number | undefined => {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const revision = tagWithRevision.exec(header)?.[1];
  if (revision === undefined)
    throw validationRefusal([{ path: 'If-Match', message: 'must be an ETag that this resource was answered with' }]);
  return Number(revision);
};

/** @throws Refusal `version_conflict` when the caller speaks of another revision than the one that is there. */
export const requireRevision = (ifMatch: number | undefined, revision: number | bigint): void => {
  if (ifMatch === undefined || BigInt(ifMatch) === BigInt(revision)) return;
  throw new Refusal('version_conflict', `If-Match names revision ${ifMatch}, but the resource is at revision ${revision}; read it again.`);
};

const digestOf = (written: string | Buffer | undefined): string => hash('sha256', written ?? '', 'base64url').slice(0, 22);

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD';

/** The tag of an answer with this body as it is `written`. What is no single resource has one where it is read, which is all digest. */
export const tagOf = (method: string, { status, headers, revision }: Answer, written: string | Buffer | undefined): string | undefined => {
  const recorded = headers?.['etag'];
  if (recorded !== undefined) return recorded;
  if (revision !== undefined) return `"${revision}-${digestOf(written)}"`;
  return isRead(method) && status === 200 ? `"${digestOf(written)}"` : undefined;
};

/** With its tag among its headers, as it is recorded: a replay is told the same one, also where its body has lost a secret. */
export const tagged = ({ revision, ...answer }: Answer): Answer =>
  revision === undefined
    ? answer
    : { ...answer, headers: { ...answer.headers, etag: `"${revision}-${digestOf(stringify(answer.body))}"` } };

export const isUnmodified = (request: FastifyRequest, tag: string): boolean =>
  isRead(request.method) &&
  (request.headers['if-none-match'] ?? '').split(',').some((candidate) => {
    const wanted = candidate.trim().replace(/^W\//, '');
    return wanted === tag || wanted === '*';
  });
