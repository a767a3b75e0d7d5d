/** The OpenAPI document as it is served: asked of the services, put together and kept. */
import { Refusal } from '@settler/chassis/refusal';
import type { StatefulService } from '@settler/contracts/services';
import { type Asset, assetOf } from './asset.ts';
import { compose, type ServiceDocument, serviceDocument } from './compose.ts';

export interface ReferenceNeeds {
  readonly services: readonly StatefulService[];
  /** The document of one service as it is now. @throws where it cannot be had */
  readonly read: (service: StatefulService) => Promise<unknown>;
  readonly version: string;
}

const keptMs = 60_000;
/** How soon a service that did not describe itself is asked again. */
const askAgainMs = 2_000;

/**
 * The document as bytes. It is asked for without credentials or limits, and so it costs a composition a minute and never more: what
 * is known is answered while it is asked for anew, and of a service that is away the last that was known stays.
 */
export const createOpenApi = ({ services, read, version }: ReferenceNeeds): (() => Promise<Asset>) => {
  const descriptions = services.map((service) => createDescription(service, read));
  let kept: { readonly of: readonly ServiceDocument[]; readonly openApi: Asset } | undefined;
  return async () => {
    const documents = await Promise.all(descriptions.map((describe) => describe()));
    if (kept === undefined || documents.some((document, index) => document !== kept?.of[index])) {
      const text = JSON.stringify(compose(documents, version));
      kept = { of: documents, openApi: assetOf(Buffer.from(text), 'application/json; charset=utf-8') };
    }
    return kept.openApi;
  };
};

const createDescription = (service: StatefulService, read: ReferenceNeeds['read']): (() => Promise<ServiceDocument>) => {
  let known: ServiceDocument | undefined;
  let asking: Promise<void> | undefined;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let fault: unknown;

  const ask = async (): Promise<void> => {
    askedAtMs = performance.now();
    try {
      known = serviceDocument.parse(await read(service));
    } catch (error) {
      fault = error;
    } finally {
      asking = undefined;
    }
  };
  return async () => {
    const isDue = performance.now() - askedAtMs > (known === undefined ? askAgainMs : keptMs);
    if (isDue) asking ??= ask();
    if (known === undefined) await asking;
    if (known !== undefined) return known;
    const detail = `The description of ${service}'s routes cannot be had at the moment.`;
    throw new Refusal('upstream_unavailable', detail, { retryAfterSeconds: askAgainMs / 1000, cause: fault });
  };
};
