import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../check/command.ts';
import { componentNames, overlayNames, readComponent, readOverlay } from './deployment/kustomization.ts';
import { environmentIn, programOf, secrets, type Workload, workloadsOf } from './deployment/pods.ts';
import { configure, imageNames, unknownTo } from './deployment/programs.ts';

const overlays = overlayNames.map((name) => ({ name, overlay: readOverlay(name) }));
const containersOf = ({ spec }: Workload) => [...spec.template.spec.initContainers, ...spec.template.spec.containers];
const mebibytes = (quantity: string) => Number.parseInt(quantity, 10) * (quantity.endsWith('Gi') ? 1024 : 1);

describe('deploy/k8s', () => {
  it('has no file that no kustomization names', () => {
    const there = readdirSync(`${root}deploy/k8s`, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
    const named = new Set([...overlays.map(({ overlay }) => overlay), ...componentNames.map(readComponent)].flatMap(({ files }) => files));
    expect(there.map((file) => `deploy/k8s/${file}`).filter((file) => !named.has(file))).toEqual([]);
  });
});

describe('the Secrets that `npm run secrets -- kubernetes` makes', () => {
  it.each(imageNames)('give %s nothing that it has no setting for', (program) => {
    expect(unknownTo(program, Object.keys(secrets.get(`settler-${program}`) ?? {}))).toEqual([]);
  });
});

describe.each(overlays)('the overlay $name', ({ overlay }) => {
  const workloads = workloadsOf(overlay);
  const containers = workloads.flatMap((workload) =>
    containersOf(workload).map((container) => ({ workload: workload.metadata.name, container })),
  );

  it('holds each thing once, in its own namespace, and no secret', () => {
    const ids = overlay.manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(`Namespace/${overlay.namespace}`);
    expect(ids.filter((id) => id.startsWith('Secret/'))).toEqual([]);
  });

  it('runs every program', () => {
    expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
      'settler-executions',
      'settler-executions-worker',
      'settler-gateway',
      'settler-identity',
      'settler-jobs',
      'settler-provision',
      'settler-webhooks',
    ]);
  });

  it.each(containers)(
    'gives $container.name of $workload every setting that it requires, and none that it does not know',
    ({ container }) => {
      const { environment, written } = environmentIn(overlay, container);
      expect(() => configure(programOf(container), environment)).not.toThrow();
      expect(unknownTo(programOf(container), written)).toEqual([]);
    },
  );

  it('says which version of every image it runs', () => {
    expect([...overlay.images].sort()).toEqual(imageNames.map((name) => `settler/${name}`).sort());
    for (const { container } of containers) expect(overlay.images).toContain(container.image);
  });

  it('lets no program do more than it needs', () => {
    for (const { spec } of workloads) {
      expect(spec.template.spec).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
      });
    }
    for (const { container } of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  it('asks each service whether it lives and is ready, and gives it the time to finish', () => {
    for (const { metadata, spec } of workloads.filter(({ metadata }) => metadata.name !== 'settler-provision')) {
      const [container] = spec.template.spec.containers;
      expect(container.readinessProbe?.httpGet).toEqual({ path: '/health/ready', port: 'http' });
      expect(container.livenessProbe?.httpGet).toEqual({ path: '/health/live', port: 'http' });
      expect(container.startupProbe?.httpGet).toEqual({ path: '/health/live', port: 'http' });
      // Health looks at its dependencies for two seconds at most.
      expect(container.readinessProbe?.timeoutSeconds).toBeGreaterThan(2);
      const { DRAIN_TIMEOUT_MS } = environmentIn(overlay, container).environment;
      const before = Number(container.lifecycle?.preStop.exec.command[1] ?? 0);
      expect(spec.template.spec.terminationGracePeriodSeconds, metadata.name).toBe(45);
      expect(before + Number(DRAIN_TIMEOUT_MS) / 1000).toBeLessThan(45);
    }
  });

  it('leaves the matching less memory than its container has', () => {
    const [worker] = workloads.filter(({ metadata }) => metadata.name === 'settler-executions-worker');
    const [container] = worker?.spec.template.spec.containers ?? [];
    if (container === undefined) throw new Error('there is no worker');
    const { WORKER_MEMORY_MB, WORKER_SLOTS } = environmentIn(overlay, container).environment;
    expect(Number(WORKER_MEMORY_MB) * Number(WORKER_SLOTS) + 512).toBeLessThanOrEqual(mebibytes(container.resources.limits.memory));
  });

  it('holds every Deployment back from being disrupted as a whole', () => {
    const budgets = overlay.manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
    const deployments = workloads.filter(({ metadata }) => metadata.name !== 'settler-provision');
    expect(budgets).toHaveLength(deployments.length);
    for (const { metadata, spec } of deployments) {
      expect(spec['selector']).toEqual({ matchLabels: spec.template.metadata.labels });
      expect(budgets.find((budget) => budget.metadata.name === metadata.name)?.['spec']).toEqual({
        maxUnavailable: 1,
        selector: { matchLabels: spec.template.metadata.labels },
      });
    }
  });

  it('has a Service, inside the cluster alone, for everything that is called', () => {
    const services = overlay.manifests.filter(({ kind }) => kind === 'Service');
    expect(services.map(({ metadata }) => metadata.name).sort()).toEqual([
      'settler-executions',
      'settler-gateway',
      'settler-identity',
      'settler-jobs',
      'settler-webhooks',
    ]);
    for (const { metadata, spec } of services) {
      const service = z
        .strictObject({ selector: z.record(z.string(), z.string()), ports: z.array(z.looseObject({ name: z.string() })) })
        .parse(spec);
      const target = workloads.find((workload) => workload.metadata.name === metadata.name);
      expect(service.selector).toEqual(target?.spec.template.metadata.labels);
      expect(service.ports.map(({ name }) => name)).toEqual(target?.spec.template.spec.containers[0].ports.map(({ name }) => name));
    }
    for (const [name, settings] of overlay.configMaps) {
      const urls = Object.entries(settings).filter(([setting]) => setting.endsWith('_URL') && setting !== 'PUBLIC_URL');
      for (const [, url] of urls)
        expect(
          services.map(({ metadata }) => `http://${metadata.name}:3000`),
          name,
        ).toContain(url);
    }
  });

  it('refers to Secrets that `npm run secrets -- kubernetes` makes, and to no key that is not in them', () => {
    const referred = new Set(
      containers.flatMap(({ container }) => [
        ...container.envFrom.flatMap((source) => ('secretRef' in source ? [source.secretRef.name] : [])),
        ...container.env.flatMap((variable) => ('valueFrom' in variable ? [variable.valueFrom.secretKeyRef.name] : [])),
      ]),
    );
    // The broker's own passwords are for whoever runs NATS.
    expect([...referred].sort()).toEqual([...secrets.keys()].filter((name) => name !== 'settler-broker').sort());
  });
});
