/** Public ids are TypeIDs: a prefix that says what it is, an underscore, and a UUIDv7 in 26 characters of Crockford base32. */
import { z } from 'zod';

export const idPrefixes = {
  organization: 'org',
  user: 'usr',
  apiKey: 'key',
  session: 'ses',
  invitation: 'inv',
  erasure: 'era',
  mail: 'eml',
  auditEvent: 'aud',
  job: 'job',
  execution: 'exe',
  result: 'res',
  exception: 'exc',
  approval: 'apr',
  comment: 'cmt',
  file: 'fil',
  exchangeRate: 'fxr',
  webhook: 'whk',
  delivery: 'dlv',
  event: 'evt',
} as const;

export type IdKind = keyof typeof idPrefixes;

/** How it begins what is said of an id that is none of its kind. */
export const idFault = 'must be an id that starts with';

const nameOf = (kind: IdKind): string => kind.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replace('api ', 'API ');

/** A schema for one kind of id; anything else is refused with the prefix it should have. */
export const idOf = (kind: IdKind) =>
  z
    .string()
    .regex(new RegExp(`^${idPrefixes[kind]}_[0-7][0-9a-hjkmnp-tv-z]{25}$`), `${idFault} ${idPrefixes[kind]}_`)
    .describe(`Id of the ${nameOf(kind)}: \`${idPrefixes[kind]}_\` and 26 characters.`);

export const organizationId = idOf('organization');
export const userId = idOf('user');
export const apiKeyId = idOf('apiKey');
export const invitationId = idOf('invitation');
export const erasureId = idOf('erasure');
export const jobId = idOf('job');
export const executionId = idOf('execution');
export const resultId = idOf('result');
export const exceptionId = idOf('exception');
export const approvalId = idOf('approval');
export const fileId = idOf('file');
export const exchangeRateId = idOf('exchangeRate');
export const webhookId = idOf('webhook');
export const deliveryId = idOf('delivery');
export const eventId = idOf('event');
