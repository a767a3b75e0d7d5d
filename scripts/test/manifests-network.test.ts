import { describe, expect, it } from 'vitest';
import { overlayNames, readOverlay } from './deployment/kustomization.ts';
import { mayReach, openToAnybody, outsideOf, policiesOf } from './deployment/network.ts';
import { workloadsOf } from './deployment/pods.ts';

const callers: Readonly<Record<string, readonly string[]>> = {
  'settler-gateway': ['settler-executions', 'settler-identity', 'settler-jobs', 'settler-webhooks'],
  'settler-executions': ['settler-identity', 'settler-jobs'],
  'settler-executions-worker': ['settler-jobs'],
};
const names = 'kube-dns 53';
const stores = ['nats settler-nats 4222', 'settler-postgres 5432'];
const world = ['0.0.0.0/0 1-65535', '::/0 1-65535'];
const mail = ['0.0.0.0/0 25,465,587', '::/0 25,465,587'];
const outside: Readonly<Record<string, readonly string[]>> = {
  'settler-gateway': [names],
  'settler-identity': [names, ...stores, ...mail],
  'settler-jobs': [names, ...stores],
  'settler-executions': [names, ...stores],
  'settler-executions-worker': [names, ...stores, ...world],
  'settler-webhooks': [names, ...stores, ...world],
  'settler-provision': [names, ...stores],
};
const privateRanges: Readonly<Record<string, string[]>> = {
  '0.0.0.0/0': ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16', '127.0.0.0/8'],
  '::/0': ['fc00::/7', 'fe80::/10'],
};

describe.each(overlayNames)('the network of %s', (name) => {
  const overlay = readOverlay(name);
  const policies = policiesOf(overlay);
  const pods = workloadsOf(overlay).map(({ metadata, spec }) => ({ name: metadata.name, labels: spec.template.metadata.labels }));

  it('lets each program reach the services that it calls, and no other', () => {
    for (const from of pods) {
      const reached = pods.filter((to) => to.name !== from.name && mayReach(policies, from.labels, to.labels)).map((to) => to.name);
      expect(reached.sort(), from.name).toEqual(callers[from.name] ?? []);
    }
  });

  it('lets each program out to what it needs: names, stores, and the world where customers or mail servers are', () => {
    for (const pod of pods) expect(outsideOf(policies, pod.labels), pod.name).toEqual([...(outside[pod.name] ?? [])].sort());
  });

  it('is open to the outside at the gateway alone', () => {
    const open = openToAnybody(policies);
    expect(open.map((policy) => policy.podSelector.matchLabels)).toEqual([{ 'app.kubernetes.io/name': 'settler-gateway' }]);
    expect(open.flatMap(({ ingress }) => ingress)).toEqual([{ ports: [{ protocol: 'TCP', port: 'http' }] }]);
    const ingresses = overlay.manifests.filter(({ kind }) => kind === 'Ingress');
    expect(ingresses).toHaveLength(name === 'production' ? 1 : 0);
    const backends = JSON.stringify(ingresses).match(/"service":\{"name":"[^"]+"/g) ?? [];
    expect(new Set(backends)).toEqual(new Set(name === 'production' ? ['"service":{"name":"settler-gateway"'] : []));
  });

  it('never lets the world be a private address', () => {
    const blocks = policies.flatMap(({ egress }) =>
      egress.flatMap(({ to }) => to.flatMap(({ ipBlock }) => (ipBlock === undefined ? [] : [ipBlock]))),
    );
    expect(blocks).toHaveLength(4);
    for (const { cidr, except } of blocks) expect(except).toEqual(expect.arrayContaining(privateRanges[cidr] ?? []));
  });
});
