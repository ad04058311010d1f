import type { Manifest } from './manifest.mjs';

export function neededSecrets(manifests: readonly Manifest[]): string[];
export function setFaults(manifests: readonly Manifest[]): string[];
export function arrows(manifests: readonly Manifest[]): { all: string[]; oneSided: string[] };
