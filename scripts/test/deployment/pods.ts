/** What the manifests run: containers with the environment that Kubernetes would give them. */
import { z } from 'zod';
import { kubernetesSecrets } from '../../deployment/kubernetes.ts';
import { newInstallationSecrets } from '../../supervisor/secrets.ts';
import type { Manifest, Overlay } from './kustomization.ts';
import type { Program } from './programs.ts';

const reference = z.strictObject({ name: z.string(), key: z.string() });
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string(), port: z.string() }),
  periodSeconds: z.number(),
  timeoutSeconds: z.number().default(1),
  failureThreshold: z.number().default(3),
});
const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).default([]),
  envFrom: z.array(
    z.union([
      z.strictObject({ configMapRef: z.strictObject({ name: z.string() }) }),
      z.strictObject({ secretRef: z.strictObject({ name: z.string() }) }),
    ]),
  ),
  env: z
    .array(
      z.union([
        z.strictObject({ name: z.string(), value: z.string() }),
        z.strictObject({ name: z.string(), valueFrom: z.strictObject({ secretKeyRef: reference }) }),
      ]),
    )
    .default([]),
  ports: z.array(z.strictObject({ name: z.string(), containerPort: z.number() })).default([]),
  startupProbe: probe.optional(),
  readinessProbe: probe.optional(),
  livenessProbe: probe.optional(),
  lifecycle: z
    .strictObject({ preStop: z.strictObject({ exec: z.strictObject({ command: z.tuple([z.literal('sleep'), z.string()]) }) }) })
    .optional(),
  resources: z.strictObject({
    requests: z.strictObject({ cpu: z.string(), memory: z.string() }),
    limits: z.strictObject({ memory: z.string() }),
  }),
  securityContext: z.unknown(),
});
export type Container = z.output<typeof container>;

const podSpec = z.looseObject({
  terminationGracePeriodSeconds: z.number(),
  automountServiceAccountToken: z.boolean(),
  enableServiceLinks: z.boolean(),
  securityContext: z.unknown(),
  initContainers: z.array(container).default([]),
  containers: z.tuple([container]),
});
const workload = z.looseObject({
  metadata: z.looseObject({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.looseObject({
    template: z.strictObject({ metadata: z.strictObject({ labels: z.record(z.string(), z.string()) }), spec: podSpec }),
  }),
});
export type Workload = z.output<typeof workload>;

export const workloadsOf = (overlay: Overlay): Workload[] =>
  overlay.manifests.filter(isWorkload).map((manifest) => workload.parse(manifest));
const isWorkload = ({ kind }: Manifest): boolean => kind === 'Deployment' || kind === 'Job';

export const programOf = ({ image, command }: Container): Program =>
  (command.some((part) => part.endsWith('wait.js')) ? 'wait' : image.replace('settler/', '')) as Program;

export const brokerAddress = 'settler-nats:4222';
export const secrets: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map([
  ...kubernetesSecrets(newInstallationSecrets(), brokerAddress).map(({ metadata, stringData }) => [metadata.name, stringData] as const),
  // Made by whoever runs PostgreSQL.
  ['settler-postgres-superuser', { username: 'postgres', password: 'of-the-superuser' }] as const,
]);

export interface ContainerEnvironment {
  readonly environment: Readonly<Record<string, string>>;
  /** The names that the manifests themselves set: all but what comes from a whole Secret. */
  readonly written: readonly string[];
}

/** @throws where a reference leads nowhere, which would keep the pod from starting */
export const environmentIn = (overlay: Overlay, { envFrom, env }: Container): ContainerEnvironment => {
  const from = (maps: Overlay['configMaps'], name: string) => {
    const found = maps.get(name);
    if (found === undefined) throw new Error(`${name} is nowhere`);
    return found;
  };
  const maps = envFrom.flatMap((source) => ('configMapRef' in source ? [from(overlay.configMaps, source.configMapRef.name)] : []));
  const whole = envFrom.flatMap((source) => ('secretRef' in source ? [from(secrets, source.secretRef.name)] : []));
  const single = env.map((variable) => {
    if ('value' in variable) return [variable.name, variable.value] as const;
    const { name, key } = variable.valueFrom.secretKeyRef;
    const value = from(secrets, name)[key];
    if (value === undefined) throw new Error(`${name} has no ${key}`);
    return [variable.name, value] as const;
  });
  const written = Object.assign({}, ...maps, Object.fromEntries(single)) as Record<string, string>;
  return { environment: Object.assign({}, ...maps, ...whole, Object.fromEntries(single)), written: Object.keys(written) };
};
