import { setTimeout as sleep } from 'node:timers/promises';
import { actionType, routes } from '@agentlattice/contracts';
import type { ActionResult, ApprovalStatus } from '@agentlattice/sdk';
import { z } from 'zod';
import { NotDone } from '../not-done.js';
import { visible } from '../text/untrusted.js';
import { spanText } from '../text/time-text.js';
import { isOpen, keptText, personText, quotedName } from '../text/request-text.js';
import { tool, readingHints, type ToolContext } from './tool.js';

/** Many clients end a call after 60 s; one that wants progress is told that the call goes on. */
const longestWait = { silent: 50, withProgress: 230 } as const;
const defaultWait = 45;
/** One question to the API is held for so long, so that a cancelled call ends soon everywhere. */
const askEverySeconds = 20;
const heartbeatMs = 5_000;
/** An answer that comes sooner was not held. */
const heldMs = 500;

const waitSeconds = z
  .number()
  .int()
  .min(0)
  .max(longestWait.withProgress)
  .optional()
  .meta({
    description: `How long to wait for a person; default ${String(defaultWait)}, at most ${String(longestWait.silent)} for clients that take no progress notifications`,
  });

const output = z.object({
  status: z.enum(['allowed', 'approved', 'denied', 'timed_out', 'pending']),
  cleared: z.boolean().meta({ description: 'Act only when this is true' }),
  ask_again: z.boolean().meta({ description: 'Nobody has decided yet: call approval_status later' }),
  approval_id: z.string().nullable(),
  link: z.string().nullable(),
  event_id: z.string().nullable(),
  audit_event_id: z.string().nullable(),
  policy_name: z.string().nullable(),
  denial_reason: z.string().nullable(),
  reason: z.string().nullable().meta({ description: 'What the person said who decided' }),
  resolved_by: z.string().nullable(),
  resolved_by_name: z.string().nullable(),
  timeout_at: z.string().nullable().meta({ description: 'When it is denied if nobody decides' }),
  grant: z.string().nullable().meta({
    description: 'Signed proof for the program that executes the action, which verifies and consumes it',
  }),
});
type Output = z.infer<typeof output>;

export const requestAction = tool({
  name: 'request_action',
  title: 'Ask before acting',
  description:
    'Submits an action that you are about to do, and waits a while for a person where one must decide. Act only if `cleared` is true, and do exactly what you submitted. If `ask_again` is true, call approval_status with the id later. Repeating the call with the same event_id never submits twice.',
  input: z.strictObject({
    action_type: actionType().meta({ description: 'In dot-notation, such as deploy.production' }),
    event_id: z
      .string()
      .regex(/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/)
      .meta({
        description:
          'Your own id of this action, up to 255 printable ASCII characters: a new one for each action, the same one when you repeat the call',
      }),
    metadata: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'What the person needs to decide; no secrets' }),
    data_accessed: z.array(z.record(z.string(), z.unknown())).max(1000).optional(),
    wait_seconds: waitSeconds,
  }),
  output,
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: true },
  routes: [routes.submitAction],
  run: async ({ action_type, event_id, metadata = {}, data_accessed = [], wait_seconds }, context) => {
    const { sdk } = context.api;
    const action = { metadata, dataAccessed: data_accessed };
    const submitted = await sdk.execute(action_type, {
      ...{ ...action, eventId: event_id, grant: true, signal: context.signal },
    });
    const known = knownOf(submitted, event_id, context);
    const check = async (result: Output): Promise<Output> => {
      if (!result.cleared) return result;
      const { approval_id: approvalId, audit_event_id } = result;
      const auditEventId = audit_event_id ?? submitted.auditEventId;
      await sdk.verifyGrant(result.grant ?? '', {
        actionType: action_type,
        ...action,
        approvalId,
        auditEventId,
      });
      return result;
    };
    if (submitted.status !== 'requested' || submitted.approvalId === null)
      return replyOf(await check({ ...known, ...verdictOf(submitted) }));
    const status = await decisionOf(submitted.approvalId, wait_seconds, context);
    return replyOf(await check({ ...known, ...statusOf(status) }));
  },
});

export const approvalStatus = tool({
  name: 'approval_status',
  title: 'Ask whether it was approved',
  description:
    'Says how your own request stands, and waits a while for a person if nobody has decided. Act only if `cleared` is true.',
  input: z.strictObject({ approval_id: z.string().min(1).max(255), wait_seconds: waitSeconds }),
  output,
  annotations: readingHints,
  routes: [routes.approvalStatus],
  forAgents: true,
  run: async ({ approval_id, wait_seconds }, context) => {
    // An operator would be sent the grant, which is for the agent alone.
    if ((await context.identity()).kind !== 'agent')
      throw new NotDone('FORBIDDEN', 'This is for the key of an agent. Use get_approval.');
    const status = await decisionOf(approval_id, wait_seconds ?? 0, context);
    return replyOf({ ...blank, ...shownIds(status.approvalId, context), ...statusOf(status) });
  },
});

const blank: Output = {
  ...{ status: 'pending', cleared: false, ask_again: true, approval_id: null, link: null, event_id: null },
  ...{ audit_event_id: null, policy_name: null, denial_reason: null, reason: null, resolved_by: null },
  ...{ resolved_by_name: null, timeout_at: null, grant: null },
};

const shownIds = (approvalId: string, { linkOf }: ToolContext) => ({
  approval_id: approvalId,
  link: linkOf(approvalId),
});
const textOrNull = (text: string | null) => (text === null ? null : quotedName(text));

const knownOf = (submitted: ActionResult, eventId: string, context: ToolContext): Output => ({
  ...blank,
  ...(submitted.approvalId === null ? {} : shownIds(submitted.approvalId, context)),
  event_id: eventId,
  audit_event_id: submitted.auditEventId,
  policy_name: textOrNull(submitted.policyName),
  timeout_at: submitted.timeoutAt,
});

/** What a submission came to that no person needs to decide any more. */
function verdictOf(submitted: ActionResult): Partial<Output> {
  const { verdict, approvalId, denialReason, reason, resolvedBy, resolvedByName, grant } = submitted;
  const isCleared = verdict === 'executed' && grant !== null;
  const allowed = approvalId === null ? 'allowed' : 'approved';
  return {
    status: isCleared ? allowed : denialReason === 'approval_timeout' ? 'timed_out' : 'denied',
    ...{ cleared: isCleared, ask_again: false, denial_reason: denialReason, grant: isCleared ? grant : null },
    ...decidedBy({ reason, resolvedBy, resolvedByName }),
  };
}

function statusOf(status: ApprovalStatus): Partial<Output> {
  const { denialReason, timeoutAt, grant, reason, resolvedBy, resolvedByName } = status;
  const isPending = isOpen(status);
  // Without the grant nothing is cleared: it says that exactly this action was.
  const isCleared = status.status === 'approved' && grant !== null;
  const ended = status.status === 'timed_out' ? 'timed_out' : isCleared ? 'approved' : 'denied';
  return {
    status: isPending ? 'pending' : ended,
    ...{ cleared: isCleared, ask_again: isPending, timeout_at: timeoutAt, grant: isCleared ? grant : null },
    denial_reason: denialReason,
    ...decidedBy({ reason, resolvedBy, resolvedByName }),
  };
}

const decidedBy = ({
  reason,
  resolvedBy,
  resolvedByName,
}: Pick<ApprovalStatus, 'reason' | 'resolvedBy' | 'resolvedByName'>) => ({
  reason: reason === null ? null : keptText(reason),
  resolved_by: resolvedBy,
  resolved_by_name: textOrNull(resolvedByName),
});

/**
 * The status as soon as somebody has decided, or after the wait. Meanwhile the client is told that the call goes on. A call
 * that the client cancels ends, and the request stays as it is.
 */
async function decisionOf(
  approvalId: string,
  wanted: number | undefined,
  { api, progress, signal }: ToolContext,
): Promise<ApprovalStatus> {
  const longest = progress === undefined ? longestWait.silent : longestWait.withProgress;
  const until = performance.now() + Math.min(wanted ?? defaultWait, longest) * 1_000;
  const begun = performance.now();
  const beat = () =>
    void progress?.(`waiting for a person for ${spanText((performance.now() - begun) / 1_000)}`);
  const heartbeats = setInterval(beat, heartbeatMs);
  if (wanted !== 0) beat();
  try {
    for (;;) {
      const left = Math.max(0, Math.ceil((until - performance.now()) / 1_000));
      const asked = performance.now();
      const status = await api.sdk.approvalStatus(approvalId, {
        waitSeconds: Math.min(askEverySeconds, left),
        signal,
      });
      if (!isOpen(status)) return status;
      if (performance.now() >= until || left === 0) return status;
      if (performance.now() - asked < heldMs) await sleep(heldMs, undefined, { signal });
    }
  } finally {
    clearInterval(heartbeats);
  }
}

function replyOf(result: Output): { text: string; structured: Output } {
  return { text: textOf(result), structured: result };
}

function textOf(result: Output): string {
  const { status, approval_id, link, policy_name, denial_reason, resolved_by, timeout_at } = result;
  const by = resolved_by === null ? '' : ` by ${personText(resolved_by, result.resolved_by_name)}`;
  const said =
    result.reason === null || result.reason === denial_reason ? '' : ` Reason: "${result.reason}".`;
  const policy = policy_name === null ? '' : ` Policy: "${policy_name}".`;
  switch (status) {
    case 'allowed':
      return `Cleared: allowed by a policy. Do exactly what was submitted.${policy}`;
    case 'approved':
      return `Cleared: request ${approval_id ?? ''} was approved${by}. Do exactly what was submitted.${said}`;
    case 'denied':
      return `Not cleared: denied${by}${denial_reason === null ? '' : ` (${visible(denial_reason)})`}. Do not do it.${said}${policy}`;
    case 'timed_out':
      return `Not cleared: nobody decided request ${approval_id ?? ''} before its deadline. Do not do it.`;
    case 'pending':
      return `Pending: nobody has decided request ${approval_id ?? ''} yet. Do not act. Ask again with approval_status. A person decides here: ${link ?? ''}${timeout_at === null ? '' : `; it is denied at ${timeout_at} if nobody does`}.`;
  }
}
