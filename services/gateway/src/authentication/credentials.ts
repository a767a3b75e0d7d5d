/** What a request shows to say who it is from. */
import type { IncomingMessage } from 'node:http';
import { timesSent } from '@settler/chassis/raw-headers';
import { Refusal } from '@settler/chassis/refusal';

export type Credential = { readonly kind: 'apiKey'; readonly key: string } | { readonly kind: 'accessToken'; readonly token: string };

const credentialLengthMax = 8_192;
const bearer = /^Bearer +([A-Za-z0-9._~+/=-]+)$/i;

export const unauthenticated = (detail: string, cause?: unknown): Refusal => new Refusal('unauthenticated', detail, { cause });

/** @throws Refusal `unauthenticated` where there is none, one that cannot be read, or two that differ. */
export const readCredential = (request: IncomingMessage): Credential => {
  const { authorization, 'x-api-key': apiKey } = request.headers;
  if (authorization === undefined && apiKey === undefined) throw unauthenticated('This needs an access token or an API key.');
  const shown = new Set<string>();
  if (authorization !== undefined) {
    // Node keeps the first of several and drops the others without a word.
    if (timesSent(request, 'authorization') > 1) throw unauthenticated('There is more than one Authorization header.');
    const [, text] = bearer.exec(authorization) ?? [];
    if (text === undefined) throw unauthenticated('Authorization takes `Bearer` and an access token or an API key.');
    shown.add(text);
  }
  if (apiKey !== undefined) shown.add(String(apiKey));
  const [text = ''] = shown;
  if (shown.size > 1) throw unauthenticated('There are two different credentials; send one.');
  if (text.length > credentialLengthMax) throw unauthenticated('The credentials are not valid.');
  return apiKey !== undefined || text.startsWith('stl_') ? { kind: 'apiKey', key: text } : { kind: 'accessToken', token: text };
};
