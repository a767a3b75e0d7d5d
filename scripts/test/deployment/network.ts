/** Who may reach whom among our own pods, by the NetworkPolicies as Kubernetes applies them. */
import { z } from 'zod';
import type { Overlay } from './kustomization.ts';

const expression = z.strictObject({ key: z.string(), operator: z.literal('In'), values: z.array(z.string()) });
const selector = z.strictObject({
  matchLabels: z.record(z.string(), z.string()).default({}),
  matchExpressions: z.array(expression).default([]),
});
const peer = z.strictObject({
  podSelector: selector.optional(),
  namespaceSelector: selector.optional(),
  ipBlock: z.strictObject({ cidr: z.string(), except: z.array(z.string()) }).optional(),
});
const ports = z.array(z.strictObject({ protocol: z.string(), port: z.union([z.string(), z.number()]), endPort: z.number().optional() }));
const policy = z.strictObject({
  podSelector: selector,
  policyTypes: z.array(z.enum(['Ingress', 'Egress'])),
  ingress: z.array(z.strictObject({ from: z.array(peer).optional(), ports })).default([]),
  egress: z.array(z.strictObject({ to: z.array(peer), ports })).default([]),
});
type Labels = Readonly<Record<string, string>>;

export const policiesOf = (overlay: Overlay) =>
  overlay.manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ metadata, spec }) => ({ name: metadata.name, ...policy.parse(spec) }));
type Policy = ReturnType<typeof policiesOf>[number];

export const selects = ({ matchLabels, matchExpressions }: z.output<typeof selector>, labels: Labels): boolean =>
  Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
  matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''));

/** Of our own namespace: a peer with a namespace selector is somebody else's. */
const isPeer = ({ podSelector, namespaceSelector }: z.output<typeof peer>, labels: Labels): boolean =>
  namespaceSelector === undefined && podSelector !== undefined && selects(podSelector, labels);

const isPort = (wanted: z.output<typeof ports>): boolean =>
  wanted.some(({ port, endPort }) => port === 'http' || port === 3000 || (typeof port === 'number' && endPort !== undefined));

const isOpen = (policies: readonly Policy[], direction: 'Ingress' | 'Egress', own: Labels, other: Labels): boolean => {
  const mine = policies.filter(({ podSelector, policyTypes }) => policyTypes.includes(direction) && selects(podSelector, own));
  // Where no policy selects a pod, everything is allowed.
  if (mine.length === 0) return true;
  const rules = mine.flatMap(({ ingress, egress }) =>
    direction === 'Ingress'
      ? ingress.map(({ from, ports }) => ({ peers: from, ports }))
      : egress.map(({ to, ports }) => ({ peers: to, ports })),
  );
  return rules.some(({ peers, ports: wanted }) => isPort(wanted) && (peers === undefined || peers.some((each) => isPeer(each, other))));
};

/** Whether a request from one pod to the other's port 3000 is let out there and let in here. */
export const mayReach = (policies: readonly Policy[], from: Labels, to: Labels): boolean =>
  isOpen(policies, 'Egress', from, to) && isOpen(policies, 'Ingress', to, from);

/** What each pod may reach outside of our own: other namespaces' pods by their labels, and address ranges. */
export const outsideOf = (policies: readonly Policy[], own: Labels): string[] =>
  policies
    .filter(({ podSelector, policyTypes }) => policyTypes.includes('Egress') && selects(podSelector, own))
    .flatMap(({ egress }) => egress.flatMap(({ to, ports: wanted }) => to.map((each) => ({ each, wanted }))))
    .filter(({ each }) => each.namespaceSelector !== undefined || each.ipBlock !== undefined)
    .map(({ each, wanted }) => `${each.ipBlock?.cidr ?? Object.values(each.podSelector?.matchLabels ?? {}).join(' ')} ${portsOf(wanted)}`)
    .sort();

const portsOf = (wanted: z.output<typeof ports>): string =>
  [...new Set(wanted.map(({ port, endPort }) => (endPort === undefined ? port : `${port}-${endPort}`)))].join(',');

/** The policies that let anybody in. */
export const openToAnybody = (policies: readonly Policy[]): Policy[] =>
  policies.filter(({ ingress }) => ingress.some(({ from }) => from === undefined));
