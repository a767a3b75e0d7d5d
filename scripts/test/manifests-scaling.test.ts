import { databaseName, databaseRoles } from '@settler/chassis/provision';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { config as webhooksConfig } from '../../services/webhooks/src/config.ts';
import { readOverlay } from './deployment/kustomization.ts';
import { environmentIn, secrets, workloadsOf } from './deployment/pods.ts';
import { readScaledObjects } from './deployment/scaling.ts';

const overlay = readOverlay('production');
const scaled = readScaledObjects(overlay);
const workloads = workloadsOf(overlay).filter(({ metadata }) => metadata.name !== 'settler-provision');
const environmentOf = (name: string) => {
  const [container] = workloads.find(({ metadata }) => metadata.name === name)?.spec.template.spec.containers ?? [];
  if (container === undefined) throw new Error(`there is no ${name}`);
  return environmentIn(overlay, container).environment;
};

describe('the scaling in production', () => {
  it('counts in the database of the service, as a role that sees every organization', () => {
    expect(scaled.map(({ target, database }) => [target, database.dbName])).toEqual([
      ['settler-executions-worker', databaseName('settler', 'executions')],
      ['settler-webhooks', databaseName('settler', 'webhooks')],
    ]);
    for (const { service, database, password } of scaled) {
      const stores = environmentOf(`settler-${service}`);
      expect(database.userName).toBe(databaseRoles('settler', service).system);
      // KEDA looks from a namespace of its own.
      expect(database.host).toBe(`${stores['DB_HOST']}.${overlay.namespace}.svc.cluster.local`);
      expect([database.port, database.sslmode]).toEqual([stores['DB_PORT'], stores['DB_SSL']]);
      expect(secrets.get(password.name)?.[password.key]).toBe(stores['DB_SYSTEM_PASSWORD']);
    }
  });

  it('takes one pod to do as much as its settings say', () => {
    const [executions, webhooks] = scaled;
    expect(executions?.database.targetQueryValue).toBe(environmentOf('settler-executions-worker')['WORKER_SLOTS']);
    const { DELIVERY_CONCURRENCY, DELIVERY_PER_ENDPOINT } = webhooksConfig.shape;
    expect(webhooks?.database.targetQueryValue).toBe(String(DELIVERY_CONCURRENCY.parse(undefined)));
    expect(webhooks?.database.query).toContain(`least(due, ${DELIVERY_PER_ENDPOINT.parse(undefined)})`);
  });

  it('keeps two of everything, and no more connections than PostgreSQL has, even while all of it is rolled', () => {
    const hpa = z.looseObject({ minReplicas: z.number(), scaleTargetRef: z.looseObject({ name: z.string() }) });
    const autoscalers = overlay.manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler').map(({ spec }) => hpa.parse(spec));
    const minimum: Record<string, number> = {
      ...overlay.replicas,
      ...Object.fromEntries(scaled.map(({ target, minReplicas }) => [target, minReplicas])),
      ...Object.fromEntries(autoscalers.map(({ scaleTargetRef, minReplicas }) => [scaleTargetRef.name, minReplicas])),
    };
    expect(workloads.map(({ metadata }) => [metadata.name, minimum[metadata.name]])).toEqual(
      workloads.map(({ metadata }) => [metadata.name, 2]),
    );
    const maximum: Record<string, number> = {
      ...overlay.replicas,
      ...Object.fromEntries(scaled.map(({ target, maxReplicas }) => [target, maxReplicas])),
    };
    const connections = workloads
      .filter(({ metadata }) => metadata.name !== 'settler-gateway')
      .map(({ metadata }) => ((maximum[metadata.name] ?? 0) + 1) * Number(environmentOf(metadata.name)['DB_POOL_MAX']));
    // Some are left for administrators, the scaler, and the pods that wait to start.
    expect(connections.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(300 - 15);
  });
});
