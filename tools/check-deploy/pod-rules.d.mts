import type { Manifest } from './manifest.mjs';

export const stopSeconds: number;
export function isWorkload(manifest: Manifest): boolean;
export function podFaults(manifest: Manifest, options?: { requireDigests?: boolean }): string[];
