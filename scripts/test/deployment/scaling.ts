/** The ScaledObjects of an overlay, with what they ask of which database. */
import { type StatefulService, statefulServices } from '@settler/contracts/services';
import { z } from 'zod';
import type { Overlay } from './kustomization.ts';

// KEDA takes any text for these, and says nothing about a name that it does not know.
const database = z.strictObject({
  host: z.string(),
  port: z.string(),
  sslmode: z.string(),
  dbName: z.string(),
  userName: z.string(),
  query: z.string(),
  targetQueryValue: z.string(),
});
const scaledObject = z.looseObject({
  scaleTargetRef: z.strictObject({ name: z.string() }),
  minReplicaCount: z.number(),
  maxReplicaCount: z.number(),
  triggers: z.tuple([
    z.strictObject({ type: z.literal('postgresql'), metadata: database, authenticationRef: z.strictObject({ name: z.string() }) }),
  ]),
});
const authentication = z.strictObject({
  secretTargetRef: z.tuple([z.strictObject({ parameter: z.literal('password'), name: z.string(), key: z.string() })]),
});

export interface Scaled {
  readonly target: string;
  readonly service: StatefulService;
  readonly minReplicas: number;
  readonly maxReplicas: number;
  readonly database: z.output<typeof database>;
  readonly password: { readonly name: string; readonly key: string };
}

export const readScaledObjects = ({ manifests }: Overlay): Scaled[] =>
  manifests
    .filter(({ kind }) => kind === 'ScaledObject')
    .map(({ spec }) => {
      const { scaleTargetRef, minReplicaCount, maxReplicaCount, triggers } = scaledObject.parse(spec);
      const [{ metadata, authenticationRef }] = triggers;
      const named = manifests.find(({ kind, metadata: { name } }) => kind === 'TriggerAuthentication' && name === authenticationRef.name);
      const [{ name, key }] = authentication.parse(named?.['spec']).secretTargetRef;
      const service = statefulServices.find((each) => metadata.dbName.endsWith(`_${each}`));
      if (service === undefined) throw new Error(`${metadata.dbName} is no service's database`);
      return {
        target: scaleTargetRef.name,
        service,
        minReplicas: minReplicaCount,
        maxReplicas: maxReplicaCount,
        database: metadata,
        password: { name, key },
      };
    });
