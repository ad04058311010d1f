import type { Overview } from '@agentlattice/contracts';
import { call } from './client.js';

export type { Overview };

export const overviewKey = ['overview'] as const;

export const getOverview = (range: Overview['range'], tz: string, signal?: AbortSignal) =>
  call<Overview>('GET', '/api/v1/overview', {
    query: { range, tz },
    ...(signal === undefined ? {} : { signal }),
  });
