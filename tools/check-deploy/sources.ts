import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parse, parseAllDocuments } from 'yaml';
import type { Manifest } from './manifest.mjs';

export const root = join(import.meta.dirname, '..', '..');
export const textOf = (path: string) => readFileSync(join(root, path), 'utf8');
export const yamlOf = (path: string): unknown => parse(textOf(path), { merge: true });
const parsed = new Map<string, Manifest[]>();
/** Parsed once: the tests read the same files many times. */
export function manifestsOf(path: string): Manifest[] {
  const known = parsed.get(path);
  if (known !== undefined) return known;
  const manifests = parseAllDocuments(textOf(path)).map((document) => document.toJS() as Manifest);
  parsed.set(path, manifests);
  return manifests;
}

/** The parts of a kustomization that we use; a test refuses others. */
export interface Kustomization {
  readonly kind: string;
  readonly components?: readonly string[];
  readonly resources?: readonly string[];
  readonly patches?: readonly { readonly path: string; readonly target: { kind: string; name: string } }[];
  readonly images?: readonly { readonly name: string; readonly newName: string; readonly newTag: string }[];
  readonly configMapGenerator?: readonly Generator[];
  readonly secretGenerator?: readonly Generator[];
}
export interface Generator {
  readonly name: string;
  readonly behavior?: 'merge';
  readonly envs?: readonly string[];
  readonly files?: readonly string[];
}

export const kustomizationOf = (folder: string) =>
  yamlOf(join(folder, 'kustomization.yaml')) as Kustomization;

/** All kustomizations below one, itself last. */
export function layers(folder: string): readonly { folder: string; kustomization: Kustomization }[] {
  const kustomization = kustomizationOf(folder);
  const folders = (kustomization.resources ?? []).filter((path) => !path.endsWith('.yaml'));
  return [
    ...folders.flatMap((path) => layers(relative(root, join(root, folder, path)))),
    { folder, kustomization },
  ];
}

/** An overlay of production with all optional components, as an installation would write it. */
export const components = readdirSync(join(root, 'k8s/components')).map((name) => `k8s/components/${name}`);
export const withComponents = (manifests: readonly Manifest[]): Manifest[] =>
  components.reduce((all, folder) => patched([...all, ...overlay(folder)], folder), [...manifests]);

/** Merge patches, where null takes a member away. */
function patched(manifests: readonly Manifest[], folder: string): Manifest[] {
  const patches = kustomizationOf(folder).patches ?? [];
  return manifests.map((manifest) =>
    patches
      .filter(({ target }) => target.kind === manifest.kind && target.name === manifest.metadata.name)
      .flatMap(({ path }) => manifestsOf(join(folder, path)))
      .reduce((before, patch) => merged(before, patch) as Manifest, manifest),
  );
}
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const before = { ...(target as Record<string, unknown>) };
  const changes = Object.entries(patch).map(([name, value]) => [name, merged(before[name] ?? {}, value)]);
  const all = Object.entries({ ...before, ...(Object.fromEntries(changes) as object) });
  return Object.fromEntries(all.filter(([, value]) => value !== null));
}

/** The manifests of an overlay as they are written, before patches and generators. */
export const overlay = (folder: string): Manifest[] =>
  layers(folder).flatMap(({ folder: at, kustomization }) =>
    (kustomization.resources ?? [])
      .filter((path) => path.endsWith('.yaml'))
      .flatMap((path) => manifestsOf(join(at, path))),
  );

/** The names of the keys of a file of lines such as `log-level=info`. */
export const keysOf = (path: string) =>
  textOf(path)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.slice(0, line.indexOf('=')));

/** The name of an image as its `images` entry replaces it. */
export function withImages(manifests: readonly Manifest[], kustomization: Kustomization): Manifest[] {
  let text = JSON.stringify(manifests);
  for (const { name, newName, newTag } of kustomization.images ?? [])
    text = text.replaceAll(`"image":"${name}"`, `"image":"${newName}:${newTag}"`);
  return JSON.parse(text) as Manifest[];
}
