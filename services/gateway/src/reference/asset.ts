/** What is the same for everybody who asks, and long. */
import { hash } from 'node:crypto';

export interface Asset {
  readonly body: Buffer;
  readonly contentType: string;
  readonly etag: string;
}

export const assetOf = (body: Buffer, contentType: string): Asset => ({
  body,
  contentType,
  etag: `"${hash('sha256', body, 'base64url')}"`,
});
