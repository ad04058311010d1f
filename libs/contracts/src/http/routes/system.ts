import { z } from 'zod';
import { jwk } from '../../commands/audit-ledger.js';
import { ok, route } from '../route.js';

export const readiness = z
  .object({
    ready: z.boolean(),
    missing: z.array(z.string()).meta({ description: 'Names of the parts that are not ready' }),
    degraded: z
      .array(z.string())
      .meta({ description: 'The names in `missing` of parts that answer but are behind or cannot store' }),
    reasons: z.array(z.string()).meta({ description: 'One sentence for each name' }),
  })
  .meta({ id: 'Readiness' });

export const systemRoutes = {
  healthz: route({
    id: 'healthz',
    method: 'GET',
    path: '/healthz',
    tag: 'System',
    summary: 'Alive',
    callers: 'public',
    responses: { 200: ok(z.object({ status: z.literal('ok') })) },
  }),
  readyz: route({
    id: 'readyz',
    method: 'GET',
    path: '/readyz',
    tag: 'System',
    summary:
      'Whether every service and backend answers, keeps up and stores; `scope=local`: only what this process needs',
    callers: 'public',
    query: z.object({ scope: z.enum(['local', 'full']).optional() }),
    responses: { 200: ok(readiness, 'Ready'), 503: ok(readiness, 'Not ready; names what is missing') },
  }),
  jwks: route({
    id: 'jwks',
    method: 'GET',
    path: '/.well-known/jwks.json',
    tag: 'System',
    summary: 'Public keys of grants',
    callers: 'public',
    responses: { 200: ok(z.object({ keys: z.array(jwk) })) },
  }),
  openApi: route({
    id: 'openApi',
    method: 'GET',
    path: '/api/v1/openapi.json',
    tag: 'System',
    summary: 'This document',
    callers: 'public',
    responses: { 200: ok(z.record(z.string(), z.unknown())) },
  }),
} as const;
