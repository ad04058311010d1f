import { type Fault, Refused, type RefusalDetails } from '@agentlattice/decider';
import { z } from 'zod';
import { instant } from './primitives.js';

export { type Fault, Refused } from '@agentlattice/decider';

/**
 * Every stable error code of the API with its HTTP status and title (contract §3, RFC 9457). Codes are never reused
 * for another meaning; clients switch on them.
 */
export const errorTable = {
  // The request itself.
  INVALID_JSON: { status: 400, title: 'The body is not valid JSON' },
  INVALID_JSON_VALUE: { status: 400, title: 'The body contains a value that JSON programs read differently' },
  VALIDATION_FAILED: { status: 400, title: 'The request does not have the right form' },
  IDEMPOTENCY_KEY_REUSED: { status: 422, title: 'The event id stands for another action' },
  ROUTE_NOT_FOUND: { status: 404, title: 'There is no such route' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The route does not have this method' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'The body must be application/json' },
  BODY_TOO_LARGE: { status: 413, title: 'The body is too large' },
  HEADERS_TOO_LARGE: { status: 431, title: 'The request headers are too large' },
  BAD_REQUEST: { status: 400, title: 'The request cannot be understood' },
  REQUEST_TIMEOUT: { status: 408, title: 'The request did not arrive in time' },
  // The caller.
  UNAUTHENTICATED: { status: 401, title: 'A valid key or session is needed' },
  INVALID_CREDENTIALS: { status: 401, title: 'E-mail or password is not correct' },
  CSRF: { status: 403, title: 'The request does not come from a page of this session' },
  OWN_PASSWORD_NEEDED: { status: 403, title: 'A password that only the person knows is needed' },
  TOO_MANY_ATTEMPTS: { status: 429, title: 'Too many tries' },
  FORBIDDEN: { status: 403, title: 'This key may not do that' },
  SELF_APPROVAL: { status: 403, title: 'An agent cannot decide a request' },
  AGENT_SUSPENDED: { status: 403, title: 'The agent is suspended' },
  POLICY_DENIED: { status: 403, title: 'A policy now denies the action' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  // The resource.
  NOT_FOUND: { status: 404, title: 'Not found in this workspace' },
  NAME_TAKEN: { status: 409, title: 'Another agent has this name' },
  POLICY_NAME_TAKEN: { status: 409, title: 'Another policy has this name' },
  POLICY_CHANGED: { status: 409, title: 'The policy changed in between' },
  PRECONDITION_FAILED: { status: 412, title: 'The resource changed in between' },
  EMAIL_TAKEN: { status: 409, title: 'Another member has this address' },
  MEMBERSHIP_NOT_ACCEPTED: { status: 409, title: 'The person has not accepted the invitation' },
  LAST_ADMIN: { status: 409, title: 'The workspace needs an administrator' },
  INVITATION_ANSWERED: { status: 409, title: 'The invitation was answered already' },
  OWN_KEY_NEEDED: { status: 409, title: 'A key that the person made is needed' },
  ALREADY_SUSPENDED: { status: 409, title: 'The agent is suspended already' },
  NOT_SUSPENDED: { status: 409, title: 'The agent is not suspended' },
  KEY_REVOKED: { status: 409, title: 'The key is revoked' },
  APPROVAL_ALREADY_DECIDED: { status: 409, title: 'The request was decided already' },
  ALREADY_VOTED: { status: 409, title: 'This person has voted already' },
  TOO_MANY_WITHDRAWALS: { status: 409, title: 'Too many votes were withdrawn' },
  NO_VOTE: { status: 409, title: 'There is no vote to withdraw' },
  APPROVAL_TIMED_OUT: { status: 409, title: 'The request is past its deadline' },
  GRANT_EXPIRED: { status: 409, title: 'The window for a grant is over' },
  GRANT_CONSUMED: { status: 409, title: 'The grant was used already' },
  ACTION_MISMATCH: { status: 409, title: 'The grant is for another action' },
  GRANT_NOT_AVAILABLE: { status: 409, title: 'This event carries no grant' },
  NOT_REPORTABLE: { status: 409, title: 'The action was not let through' },
  CHANNEL_DISABLED: { status: 409, title: 'The channel is disabled' },
  CHANNEL_HAS_NO_SECRET: { status: 409, title: 'Channels of this type are not signed' },
  DELIVERY_UNDER_WAY: { status: 409, title: 'The delivery is under way' },
  // The system.
  UNAVAILABLE: { status: 503, title: 'A part of the system is unreachable' },
  STALE: { status: 503, title: 'A part of the system is not up to date' },
  UNSUPPORTED_VERSION: { status: 503, title: 'The services speak different versions' },
  INTERNAL: { status: 500, title: 'Something went wrong on our side' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorTable;
export const errorCodes = Object.keys(errorTable) as readonly ErrorCode[];
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(errorTable, code);

/** A backend or service did not answer; the caller gets 503 and may try again (contract §3). */
export class Unavailable extends Refused<'UNAVAILABLE'> {
  constructor(detail: string, details: RefusalDetails = {}) {
    super('UNAVAILABLE', detail, details);
  }
}

/** A refusal of a command, on NATS. */
export const commandError = z.object({
  code: z.string().min(1),
  detail: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  extra: z.record(z.string(), z.unknown()).optional(),
});
export type CommandError = z.infer<typeof commandError>;

/** The body of every error answer: RFC 9457 with `error` (the code) and `message` as the published client reads them. */
export const problem = z
  .object({
    type: z.string().meta({
      description: 'The error code as a URN',
      examples: ['urn:agentlattice:error:NOT_FOUND'],
    }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    request_id: z.string(),
    error: z.enum(errorCodes).meta({
      description: 'More codes may be added; a client treats an unknown one by its status',
      'x-open-enum': true,
    }),
    message: z.string().meta({ description: 'Same as detail' }),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'JSON pointer (RFC 6901)' }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'Every offending field' }),
    decision: z
      .object({
        status: z.string(),
        resolved_by: z.string().nullable().meta({ description: 'Null when no person decided' }),
        resolved_by_name: z.string().nullable().optional(),
        resolved_at: instant().nullable(),
        reason: z.string().nullable(),
        denial_reason: z.string().nullable(),
      })
      .optional()
      .meta({ description: '409 of a late command: the decision that stands' }),
    timeout_at: instant()
      .optional()
      .meta({ description: '409 APPROVAL_TIMED_OUT: until when the request could be decided' }),
  })
  .loose()
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;

export const problemMediaType = 'application/problem+json';

/** The body of an error answer (RFC 9457 with the members the published client reads). */
export function problemOf(
  code: ErrorCode,
  detail: string,
  requestId: string,
  {
    errors,
    extra,
  }: { errors?: readonly Fault[] | undefined; extra?: Readonly<Record<string, unknown>> | undefined } = {},
): Problem {
  const { status, title } = errorTable[code];
  return {
    ...extra,
    type: `urn:agentlattice:error:${code}`,
    title,
    status,
    detail,
    request_id: requestId,
    error: code,
    message: detail,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}
