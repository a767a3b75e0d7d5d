/**
 * Standard Webhooks 1.0 signatures: `v1,` and the base64 HMAC-SHA256 of `{id}.{timestamp}.{body}`. The hash function comes in
 * as an argument, because domain code reads nothing of its surroundings.
 */

export type HmacSha256 = (key: Uint8Array, text: string) => string;

export interface SignedHeaders {
  readonly 'webhook-id': string;
  readonly 'webhook-timestamp': string;
  readonly 'webhook-signature': string;
}

/** `sentAt` is that of this attempt: receivers refuse what is older than five minutes. */
export const signedHeaders = (id: string, sentAt: Date, body: string, secrets: readonly Uint8Array[], hmac: HmacSha256): SignedHeaders => {
  const timestamp = String(Math.floor(sentAt.getTime() / 1000));
  const signatures = secrets.map((secret) => `v1,${hmac(secret, `${id}.${timestamp}.${body}`)}`);
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
};
