import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { root } from '../check/command.ts';
import { metricsPage } from '../reference/metrics.ts';
import { readComponent, readOverlay } from './deployment/kustomization.ts';
import { workloadsOf } from './deployment/pods.ts';

const component = readComponent('monitoring');
const specsOf = <Spec extends z.ZodType>(kind: string, spec: Spec) =>
  component.manifests.filter((manifest) => manifest.kind === kind).map((manifest) => spec.parse(manifest['spec']));

const alert = z.strictObject({
  alert: z.string().regex(/^Settler[A-Z][A-Za-z]+$/),
  expr: z.string(),
  for: z.string().optional(),
  labels: z.strictObject({ severity: z.enum(['critical', 'warning', 'info']) }),
  annotations: z.strictObject({ summary: z.string(), operate: z.string() }),
});
const rules = specsOf('PrometheusRule', z.strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(alert) })) }));
const alerts = rules.flatMap(({ groups }) => groups.flatMap((group) => group.rules));

const told = metricsPage().body.join('\n');
const namesIn = (expression: string): string[] => expression.match(/settler_[a-z_]+/g) ?? [];
const isOfDatabase = (name: string) => told.includes(`\`${name}\` | gauge, of the database`);

describe('the monitoring that an overlay may take in', () => {
  it('asks about metrics that are told, and never adds up what every replica says', () => {
    expect(alerts.length).toBeGreaterThan(8);
    for (const { expr } of alerts) {
      for (const name of namesIn(expr)) {
        expect(told).toContain(`\`${name.replace(/_count$/, '')}\` |`);
        if (!isOfDatabase(name)) continue;
        const uses = expr.match(new RegExp(`[a-z() ]*\\(${name}\\b`, 'g')) ?? [];
        for (const use of uses) expect(use).toMatch(/(max( by \(service\) )?|absent)\(settler_/);
      }
    }
  });

  it('sounds an alarm for everything that is to be watched', () => {
    const asked = new Set(alerts.flatMap(({ expr }) => namesIn(expr)));
    for (const name of [
      'outbox_oldest_seconds',
      'outbox_quarantined',
      'dead_letters',
      'executions_queued_oldest_seconds',
      'schedules_late',
    ])
      expect(asked).toContain(`settler_${name}`);
  });

  it('names the section that says what to do', () => {
    const headings = readFileSync(`${root}docs/guides/operate.md`, 'utf8').match(/^## .+$/gm) ?? [];
    const anchors = headings.map((heading) =>
      heading
        .slice(3)
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const { annotations } of alerts) expect(anchors).toContain(annotations.operate);
  });

  it('reads every pod that serves, once, at a port that has its metrics', () => {
    const selector = z.strictObject({
      matchLabels: z.record(z.string(), z.string()),
      matchExpressions: z.array(z.strictObject({ key: z.string(), operator: z.literal('NotIn'), values: z.array(z.string()) })).default([]),
    });
    const endpoint = z.strictObject({ port: z.string(), path: z.literal('/metrics'), interval: z.string() });
    const monitors = specsOf('PodMonitor', z.strictObject({ selector, podMetricsEndpoints: z.tuple([endpoint]) }));
    const pods = workloadsOf(readOverlay('production')).filter(({ metadata }) => metadata.name !== 'settler-provision');
    for (const { metadata, spec } of pods) {
      const { labels } = spec.template.metadata;
      const reading = monitors.filter(
        ({ selector: { matchLabels, matchExpressions } }) =>
          Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
          matchExpressions.every(({ key, values }) => !values.includes(labels[key] ?? '')),
      );
      expect(reading, metadata.name).toHaveLength(1);
      const ports = spec.template.spec.containers[0].ports.map(({ name }) => name);
      const port = reading[0]?.podMetricsEndpoints[0].port;
      // The gateway's door does not have them.
      expect(port).toBe(metadata.name === 'settler-gateway' ? 'metrics' : 'http');
      expect(ports).toContain(port);
    }
  });
});
