import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { serviceNames, type ServiceName } from '@agentlattice/contracts';
import { z } from 'zod';
import { repositoryRoot } from '../repository-root.js';

const megabytes = z.number().int().positive();

/** The memory limits of a service, measured under load; from `deploy/memory.json`, which all deployments use. */
const limits = z.strictObject({
  /** Options of Node: the size of the young generation, the heap size at which collections begin, and the largest heap. */
  node: z.strictObject({
    'max-semi-space-size': megabytes,
    'initial-old-space-size': megabytes,
    'max-old-space-size': megabytes,
    'v8-pool-size': z.number().int().positive(),
  }),
  /** The limit of a container of the service: the heap and all other memory. */
  containerMb: megabytes,
});
const table = z.strictObject(
  Object.fromEntries(serviceNames.map((name) => [name, limits])) as Record<ServiceName, typeof limits>,
);

/** The table of limits; read at every call, so that a restarted service gets the present limits. */
export const memoryLimits = () =>
  table.parse(JSON.parse(readFileSync(join(repositoryRoot, 'deploy', 'memory.json'), 'utf8')));

/** The options of Node for a service. */
export const memoryOptions = (service: ServiceName): string[] =>
  Object.entries(memoryLimits()[service].node).map(([name, value]) => `--${name}=${String(value)}`);
