/** deploy/k8s as kustomize reads it, as far as the tests ask: resources of an overlay and of its base, and settings merged. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { root } from '../../check/command.ts';

const kustomization = z.strictObject({
  apiVersion: z.enum(['kustomize.config.k8s.io/v1beta1', 'kustomize.config.k8s.io/v1alpha1']),
  kind: z.enum(['Kustomization', 'Component']),
  namespace: z.string().optional(),
  resources: z.array(z.string()),
  images: z.array(z.strictObject({ name: z.string(), newName: z.string().optional(), newTag: z.string() })).default([]),
  replicas: z.array(z.strictObject({ name: z.string(), count: z.number().int() })).default([]),
  configMapGenerator: z
    .array(z.strictObject({ name: z.string(), behavior: z.literal('merge').optional(), literals: z.array(z.string()) }))
    .default([]),
});

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});
export type Manifest = z.output<typeof manifest>;

export interface Overlay {
  readonly namespace: string | undefined;
  readonly manifests: readonly Manifest[];
  /** The names of the images that it gives a tag. */
  readonly images: readonly string[];
  readonly replicas: Readonly<Record<string, number>>;
  readonly configMaps: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Every file that was read, from the repository's root. */
  readonly files: readonly string[];
}

export const overlayNames = ['development', 'production'] as const;
export const componentNames = ['monitoring'] as const;

/** @throws where something that is named is not there, or is not what kustomize takes */
export const readOverlay = (name: (typeof overlayNames)[number]): Overlay => readFolder(`deploy/k8s/overlays/${name}`);

/** What an overlay may take in, and none of ours does. @throws as `readOverlay` does */
export const readComponent = (name: (typeof componentNames)[number]): Overlay => readFolder(`deploy/k8s/components/${name}`);

const readFolder = (folder: string): Overlay => {
  const file = join(folder, 'kustomization.yaml');
  const own = kustomization.parse(parse(readFileSync(root + file, 'utf8')));
  const manifests: Manifest[] = [];
  const files = [file];
  const configMaps = new Map<string, Record<string, string>>();
  for (const resource of own.resources) {
    const path = normalize(join(folder, resource));
    if (!existsSync(root + path)) throw new Error(`${file} names ${resource}, which is not there`);
    if (statSync(root + path).isDirectory()) {
      const base = readFolder(path);
      manifests.push(...base.manifests);
      files.push(...base.files);
      for (const [map, settings] of base.configMaps) configMaps.set(map, { ...settings });
    } else {
      manifests.push(...readManifests(path));
      files.push(path);
    }
  }
  for (const { name, behavior, literals } of own.configMapGenerator) {
    const settings = Object.fromEntries(literals.map((literal) => literal.split(/=(.*)/s, 2) as [string, string]));
    if ((behavior === 'merge') !== configMaps.has(name))
      throw new Error(`${file}: ${name} is ${behavior ?? 'made'}, but was not there or was`);
    configMaps.set(name, { ...configMaps.get(name), ...settings });
  }
  return {
    namespace: own.namespace,
    manifests,
    images: own.images.map((image) => image.name),
    replicas: Object.fromEntries(own.replicas.map((replica) => [replica.name, replica.count])),
    configMaps,
    files,
  };
};

const readManifests = (path: string): Manifest[] =>
  parseAllDocuments(readFileSync(root + path, 'utf8')).map((document) => {
    if (document.errors.length > 0) throw new Error(`${path}: ${document.errors[0]?.message}`, { cause: document.errors[0] });
    return manifest.parse(document.toJS());
  });
