import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@agentlattice/contracts';
import { z } from 'zod';
import { repositoryRoot } from '../repository-root.js';

const megabytes = z.number().int().positive();

/** What a service may use, as measured under load; `deploy/memory.json` says it for every way of running it. */
const limits = z.strictObject({
  /** Options of Node. Where the heap begins to be collected, and where it ends. */
  node: z.strictObject({
    'max-semi-space-size': megabytes,
    'initial-old-space-size': megabytes,
    'max-old-space-size': megabytes,
    'v8-pool-size': z.number().int().positive(),
  }),
  /** What a container of the service needs at most: the heap, and all that is not heap. */
  containerMb: megabytes,
});
const table = z.strictObject(
  Object.fromEntries(serviceNames.map((name) => [name, limits])) as Record<ServiceName, typeof limits>,
);

/** The table of limits; read on every call, so that a service that is started again gets what stands there now. */
export const memoryLimits = () =>
  table.parse(JSON.parse(readFileSync(join(repositoryRoot, 'deploy', 'memory.json'), 'utf8')));

/** The options of Node for a service. */
export const memoryOptions = (service: ServiceName): string[] =>
  Object.entries(memoryLimits()[service].node).map(([name, value]) => `--${name}=${String(value)}`);
