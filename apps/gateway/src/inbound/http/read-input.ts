import { type Fault, parseWith, Refused, type Route } from '@agentlattice/contracts';
import type { z } from 'zod';
import type { GatewayRequest } from './http-request.js';

/** A request's parts, checked against its route. */
export interface Input {
  readonly params: Record<string, unknown>;
  readonly query: Record<string, unknown>;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}

/**
 * Checks every part of a request against its route; every faulty field of every part is named.
 * @throws Refused VALIDATION_FAILED
 */
export function readInput(route: Route, request: GatewayRequest): Input {
  const faults: Fault[] = [];
  const read = (schema: z.ZodType | undefined, value: unknown, at: string): unknown => {
    if (schema === undefined) return {};
    const parsed = parseWith(schema, value);
    if (!parsed.success) faults.push(...faultsOf(parsed.error, at));
    else if (mayHoldNul.has(at) && holdsNul(value))
      faults.push({ pointer: at, detail: 'holds a NUL character' });
    return parsed.success ? parsed.data : {};
  };
  const input = {
    params: read(route.params, request.params, '/path') as Input['params'],
    query: read(route.query, request.query, '/query') as Input['query'],
    headers: read(route.headers, headersFor(route, request), '/headers') as Input['headers'],
    body: route.body === undefined ? undefined : read(route.body, request.body, ''),
  };
  if (faults.length > 0)
    throw new Refused(
      'VALIDATION_FAILED',
      `${String(faults.length)} field${faults.length === 1 ? ' is' : 's are'} not right; see errors`,
      {
        errors: faults,
      },
    );
  return input;
}

/** The headers that the route knows; the others are ignored. */
function headersFor({ headers: known }: Route, { headers }: GatewayRequest): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const name in known?.shape) if (headers[name] !== undefined) given[name] = headers[name];
  return given;
}

/** PostgreSQL accepts no NUL in a text. Bodies were checked when they were parsed, headers by Node. */
const mayHoldNul: ReadonlySet<string> = new Set(['/path', '/query']);
const holdsNul = (value: unknown) =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).some((v) => typeof v === 'string' && v.includes('\0'));

/** Every faulty field by its JSON pointer; the pointers of a body begin at its root. */
export function faultsOf(error: z.ZodError, at: string): Fault[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path
      .map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`)
      .join('');
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        pointer: `${at}${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        detail: 'is not a known member',
      }));
    return [{ pointer: `${at}${path}`, detail: issue.message }];
  });
}
