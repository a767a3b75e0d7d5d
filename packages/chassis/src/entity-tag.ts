/** Entity tags: a resource's tag is its revision, so that If-Match can say which state a change was made from. */
import { hash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Answer } from './answer.ts';
import { validationRefusal } from './problem.ts';
import { Refusal } from './refusal.ts';

/** A single resource with its tag. */
export const resource = (
  status: number,
  body: unknown,
  revision: number | bigint,
  headers: Readonly<Record<string, string>> = {},
): Answer => ({
  status,
  body,
  headers: { etag: `"${revision}"`, ...headers },
});

export const readIfMatch = (request: FastifyRequest): number | undefined => {
  const header = request.headers['if-match'];
  if (header === undefined || header === '*') return undefined;
  const revision = /^"(\d{1,15})"$/.exec(header)?.[1];
  if (revision === undefined)
    throw validationRefusal([{ path: 'If-Match', message: 'must be an ETag that this resource was answered with' }]);
  return Number(revision);
};

/** @throws Refusal `version_conflict` when the caller speaks of another revision than the one that is there. */
export const requireRevision = (ifMatch: number | undefined, revision: number | bigint): void => {
  if (ifMatch === undefined || BigInt(ifMatch) === BigInt(revision)) return;
  throw new Refusal('version_conflict', `If-Match names revision ${ifMatch}, but the resource is at revision ${revision}; read it again.`);
};

/** The tag of an answer: its own, or for a read without one a digest of its body as it is `written`. */
export const tagOf = (method: string, answer: Answer, written: string | Buffer | undefined): string | undefined => {
  const own = answer.headers?.['etag'];
  if (own !== undefined || method !== 'GET' || answer.status !== 200) return own;
  return `"${hash('sha256', written ?? '', 'base64url').slice(0, 22)}"`;
};

export const isUnmodified = (request: FastifyRequest, tag: string): boolean =>
  request.method === 'GET' &&
  (request.headers['if-none-match'] ?? '').split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === tag);
