import { z } from 'zod';
import { auditEvent, auditQuery, auditVerification } from '../../audit/audit.js';
import { limit, queryNumber } from '../../primitives.js';
import { ok, route } from '../route.js';

const text = z.string();

export const auditRoutes = {
  listAuditEvents: route({
    id: 'listAuditEvents',
    method: 'GET',
    path: '/api/v1/audit',
    tag: 'Audit',
    summary: 'The log, newest first, joined with its erasable content; an agent sees its own events',
    callers: ['agent', 'operator:viewer'],
    query: auditQuery,
    responses: { 200: ok(z.object({ events: z.array(auditEvent), next_cursor: z.string().nullable() })) },
  }),
  verifyAudit: route({
    id: 'verifyAudit',
    method: 'GET',
    path: '/api/v1/audit/verify',
    tag: 'Audit',
    summary: 'Whether the log is intact; a broken chain is a 200 with chain_valid false',
    callers: ['agent', 'operator:viewer'],
    query: z.object({
      wait: z
        .enum(['true', 'false'])
        .optional()
        .meta({ description: 'Operators: wait for a full check, at most 10 s' }),
    }),
    responses: { 200: ok(auditVerification) },
  }),
  auditEntries: route({
    id: 'auditEntries',
    method: 'GET',
    path: '/api/v1/audit/entries',
    tag: 'Audit',
    summary: 'The canonical bytes of the entries, one a line, in order',
    description:
      'Fewer than `limit` lines may come; continue with the next `seq` until an answer is empty. A line ends with U+000A alone: RFC 8785 keeps U+0085, U+2028 and U+2029 in strings as they are, and what is hashed must not change, so split at no other character.',
    callers: ['operator:viewer'],
    query: z.object({
      from: queryNumber(0, 999_999_999_999_999, 0),
      limit: limit(1000, 1000),
    }),
    responses: { 200: { ...ok(text, 'Canonical entries'), mediaType: 'application/x-ndjson' } },
  }),
  auditDisclosed: route({
    id: 'auditDisclosed',
    method: 'GET',
    path: '/api/v1/audit/disclosed',
    tag: 'Audit',
    summary: 'The erasable values that remain of the entries, with the salts that open their commitments',
    description:
      'One line for each entry that has any, in the order of the log: `{"seq", "id", "fields": {field: {"salt", "value"}}, "withheld": [field]}`, where `value` is the RFC 8785 text. A field with values that look like secrets is withheld. The last line is `{"next"}`: continue from there until it is as large as the log.',
    callers: ['operator:viewer'],
    query: z.object({
      from: queryNumber(0, 999_999_999_999_999, 0),
      limit: limit(1000, 1000),
    }),
    responses: { 200: { ...ok(text, 'Disclosed values'), mediaType: 'application/x-ndjson' } },
  }),
  auditCheckpoint: route({
    id: 'auditCheckpoint',
    method: 'GET',
    path: '/api/v1/audit/checkpoint',
    tag: 'Audit',
    summary: 'The newest tree as a C2SP tlog-checkpoint in a signed note',
    callers: ['operator:viewer'],
    responses: { 200: { ...ok(text, 'A signed note'), mediaType: 'text/plain' } },
    errors: ['NOT_FOUND'],
  }),
  auditKey: route({
    id: 'auditKey',
    method: 'GET',
    path: '/api/v1/audit/key',
    tag: 'Audit',
    summary: 'The verifier key of the log (name+hash+base64)',
    callers: ['operator:viewer'],
    responses: { 200: { ...ok(text, 'A verifier key'), mediaType: 'text/plain' } },
  }),
} as const;
