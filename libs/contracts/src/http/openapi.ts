import { z } from 'zod';
import { errorTable, type ErrorCode, problem } from '../errors.js';
import { sessionCookieName } from '../principals/sessions.js';
import type { Route } from './route.js';
import { routeList } from './routes.js';

type Json = Record<string, unknown>;

/** Codes of any operation with a key, and codes of any operation. */
const always: readonly ErrorCode[] = ['METHOD_NOT_ALLOWED', 'HEADERS_TOO_LARGE', 'INTERNAL', 'UNAVAILABLE'];
const withKey: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'RATE_LIMITED', 'STALE'];
/** Codes of any operation that takes a session in place of a key. */
const withSession: readonly ErrorCode[] = ['CSRF'];
const takesSession = ({ callers }: Route): boolean =>
  callers !== 'public' && callers.some((caller) => /^operator|^instance_admin/.test(caller));
const withBody: readonly ErrorCode[] = [
  'INVALID_JSON',
  'INVALID_JSON_VALUE',
  'VALIDATION_FAILED',
  'UNSUPPORTED_MEDIA_TYPE',
  'BODY_TOO_LARGE',
];

/** Every code that an operation may answer, as text of the document. */
export function errorCodesOf(route: Route): readonly ErrorCode[] {
  return [
    ...new Set([
      ...(route.errors ?? []),
      ...(route.body === undefined ? [] : withBody),
      ...((route.query ?? route.headers ?? route.params) === undefined
        ? []
        : (['VALIDATION_FAILED'] as const)),
      ...(route.callers === 'public' ? [] : withKey),
      ...(takesSession(route) ? withSession : []),
      ...always,
    ]),
  ];
}

/** The OpenAPI 3.1 document of the whole API, from the same schemas that validate it. */
export function openApiDocument(): Json {
  const schemas: Json = {};
  const schemaOf = (schema: z.ZodType, io: 'input' | 'output') => hoist(schema, io, schemas);
  const problemRef = schemaOf(problem, 'output');
  const paths: Record<string, Json> = {};
  for (const route of routeList)
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(route, schemaOf, problemRef);
  return {
    openapi: '3.1.0',
    info: {
      title: 'AgentLattice Approvals',
      version: '1.0.0',
      description:
        'An agent submits an action before it executes it. Times are RFC 3339 UTC; identifiers are TypeIDs. `x-rules`: rules of a value that JSON Schema cannot express, each as the `detail` of the fault (`…` for what varies).',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: sorted(schemas),
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key: al_agent_…, al_svc_… or al_op_…' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: sessionCookieName,
          description:
            'A session of a person who signed in. A request that is not GET or HEAD needs the header X-CSRF-Token with the `csrf_token` of the session. A key in the header Authorization takes precedence.',
        },
      },
    },
  };
}

function operation(
  route: Route,
  schemaOf: (schema: z.ZodType, io: 'input' | 'output') => Json,
  problemRef: Json,
): Json {
  const responses: Json = {};
  for (const [status, { description, schema, mediaType = 'application/json', headers }] of Object.entries(
    route.responses,
  ))
    responses[status] = {
      description,
      headers: headerObjects({ 'X-Request-ID': 'Names this request in logs', ...headers }),
      content: { [mediaType]: { schema: schemaOf(schema, 'output') } },
    };
  for (const [status, codes] of Map.groupBy(errorCodesOf(route), (code) => errorTable[code].status))
    responses[String(status)] ??= {
      description: codes.map((code) => `${code}: ${errorTable[code].title}`).join('. '),
      content: { 'application/problem+json': { schema: problemRef } },
    };
  return {
    operationId: route.id,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description === undefined ? {} : { description: route.description }),
    ...(route.callers === 'public'
      ? {}
      : { security: [{ key: [] }, ...(takesSession(route) ? [{ session: [] }] : [])] }),
    'x-callers': route.callers === 'public' ? ['public'] : route.callers,
    parameters: [
      ...parameters('path', route.params, schemaOf),
      ...parameters('query', route.query, schemaOf),
      ...parameters('header', route.headers, schemaOf),
    ],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse(undefined).success,
            content: { 'application/json': { schema: schemaOf(route.body, 'input') } },
          },
        }),
    responses: sorted(responses),
  };
}

function parameters(
  place: 'path' | 'query' | 'header',
  object: z.ZodObject | undefined,
  schemaOf: (schema: z.ZodType, io: 'input') => Json,
): Json[] {
  if (object === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(object, 'input') as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    ...(description === undefined ? {} : { description }),
    schema: place === 'header' ? schema : withoutNul(schema),
  }));
}

/** No NUL in a path or a query: PostgreSQL has no such text. */
const withoutNul = (schema: Json): Json =>
  schema['type'] === 'string' && !['pattern', 'enum', 'format'].some((name) => name in schema)
    ? { ...schema, pattern: '^[^\\u0000]*$' }
    : schema;

const headerObjects = (headers: Readonly<Record<string, string>>): Json =>
  Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );

const sorted = (object: Json): Json =>
  Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The JSON Schema of a schema, its named parts moved to the document's components. */
function hoist(schema: z.ZodType, io: 'input' | 'output', components: Json): Json {
  const {
    $schema: _,
    $defs,
    ...own
  } = z.toJSONSchema(schema, {
    target: 'draft-2020-12',
    io,
    unrepresentable: 'any',
    // zod leaves it out where the input is transformed before it is checked.
    override: ({ zodSchema: { _zod: zod }, jsonSchema }) => {
      if (zod.def.type === 'default' && io === 'input') jsonSchema.default ??= zod.def.defaultValue;
    },
  }) as Json & { $defs?: Record<string, Json> };
  const withRefs = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/'));
  for (const [id, definition] of Object.entries($defs ?? {})) components[id] = withRefs(definition);
  const { id } = own as { id?: string };
  if (id === undefined) return withRefs(own) as Json;
  components[id] = withRefs(own);
  return { $ref: `#/components/schemas/${id}` };
}
