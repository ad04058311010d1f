import type { z } from 'zod';
import type { ErrorCode } from '../errors.js';
import type { OperatorRole, ServiceScope } from '../primitives.js';

/**
 * Who may call a route. A role includes every higher role; `instance_admin` is a flag in addition to the roles (decisions
 * §3.7).
 */
export type Caller =
  'agent' | 'service' | `service:${ServiceScope}` | `operator:${OperatorRole}` | 'instance_admin';

export interface RouteResponse {
  readonly description: string;
  readonly schema: z.ZodType;
  /** Default: application/json. */
  readonly mediaType?: 'application/x-ndjson' | 'text/plain' | 'text/event-stream' | 'application/json';
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * One operation of the HTTP API. The table of operations is the authorization table and the source of validation and of the
 * OpenAPI document; the gateway does not start with a handler that has no row here.
 */
export interface Route {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for path parameters. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** `public`: no key is needed. */
  readonly callers: 'public' | readonly Caller[];
  /**
   * Callers that may see the resource in `params` but may not call the route: they get 404 where it does not exist for them,
   * and 403 where it does.
   */
  readonly seenBy?: readonly Caller[];
  readonly headers?: z.ZodObject;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** Codes in addition to those of every route. */
  readonly errors?: readonly ErrorCode[];
}

export const ok = <S extends z.ZodType>(schema: S, description = 'Done') =>
  ({ schema, description }) satisfies RouteResponse;

/** Keeps the literal types of a route while checking its form. */
export const route = <const R extends Route>(definition: R): R => definition;

type Parsed<T> = T extends z.ZodType ? z.infer<T> : Record<string, never>;
/** What a handler of a route is given, parsed. */
export interface RouteInput<R extends Route> {
  readonly params: Parsed<R['params']>;
  readonly query: Parsed<R['query']>;
  readonly headers: Parsed<R['headers']>;
  readonly body: R['body'] extends z.ZodType ? z.infer<R['body']> : undefined;
}
/** The body of an answer of a route, by its schemas. */
export type RouteOutput<
  R extends Route,
  Status extends keyof R['responses'] = keyof R['responses'],
> = R['responses'][Status] extends { schema: infer S extends z.ZodType } ? z.infer<S> : never;
