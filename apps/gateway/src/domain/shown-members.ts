import type {
  ApprovalStatus,
  ApprovalView,
  AuditEvent,
  ForeverPreview,
  RouteOutput,
  routes,
  VotePending,
} from '@agentlattice/contracts';

/** Names of members of one workspace by member id. */
export type MemberNames = ReadonlyMap<string, string>;

/** The ids of members in an answer, and the answer with their names beside the ids. */
export interface ShownMembers<T> {
  readonly idsIn: (body: T) => readonly (string | null)[];
  readonly withNames: (body: T, names: MemberNames) => T;
}

/** Null for an id that belongs to no member of the workspace. */
const nameOf = (names: MemberNames, id: string | null): string | null =>
  id === null ? null : (names.get(id) ?? null);

const withResolver = <T extends { readonly resolved_by: string | null }>(body: T, names: MemberNames) => ({
  ...body,
  resolved_by_name: nameOf(names, body.resolved_by),
});

export const membersOfStatus: ShownMembers<ApprovalStatus> = {
  idsIn: ({ resolved_by }) => [resolved_by],
  withNames: withResolver,
};

/** An answer to a submission shows a member only where its request was decided while it was held. */
export const membersOfSubmission: ShownMembers<RouteOutput<(typeof routes)['submitAction']>> = {
  idsIn: (body) => [resolverOf(body)],
  withNames: (body, names) =>
    resolverOf(body) === null ? body : { ...body, resolved_by_name: nameOf(names, resolverOf(body)) },
};

const resolverOf = (body: { readonly resolved_by?: string | null | undefined } | object): string | null =>
  'resolved_by' in body ? (body.resolved_by ?? null) : null;

const askedWithNames = (asked: NonNullable<ApprovalView['asked']>, names: MemberNames) => ({
  ...asked,
  members: asked.members.map(({ id }) => ({ id, name: nameOf(names, id) })),
});

export const membersOfApproval: ShownMembers<ApprovalView> = {
  idsIn: ({ resolved_by, votes, history, asked }) => [
    resolved_by,
    ...(asked?.members ?? []).map(({ id }) => id),
    ...votes.map(({ member_id }) => member_id),
    ...history.map(({ operator }) => operator?.id ?? null),
  ],
  withNames: (approval, names) => ({
    ...withResolver(approval, names),
    votes: approval.votes.map((vote) => ({ ...vote, member_name: nameOf(names, vote.member_id) })),
    history: approval.history.map((step) => ({ ...step, operator: withName(step.operator, names) })),
    ...(approval.asked === undefined ? {} : { asked: askedWithNames(approval.asked, names) }),
  }),
};

/** A decision, or a vote that did not complete the request; the latter shows no member. */
export const membersOfDecision: ShownMembers<ApprovalView | VotePending> = {
  idsIn: (decision) =>
    'history' in decision ? membersOfApproval.idsIn(decision) : membersOfPendingVote.idsIn(decision),
  withNames: (decision, names) =>
    'history' in decision ? membersOfApproval.withNames(decision, names) : decision,
};

/** A vote that did not complete its request shows no member. */
export const membersOfPendingVote: ShownMembers<VotePending> = {
  idsIn: () => [],
  withNames: (vote) => vote,
};

/** Who denied last, beside what an approval forever would reach. */
export const membersOfForeverPreview: ShownMembers<ForeverPreview> = {
  idsIn: ({ denials_30d: { last } }) => [last?.resolved_by ?? null],
  withNames: (preview, names) => {
    const { last } = preview.denials_30d;
    return last === null
      ? preview
      : { ...preview, denials_30d: { ...preview.denials_30d, last: withResolver(last, names) } };
  },
};

const membersOfAuditEvent: ShownMembers<AuditEvent> = {
  idsIn: ({ resolved_by, operator }) => [resolved_by, operator?.id ?? null],
  withNames: (event, names) => ({
    ...withResolver(event, names),
    operator: withName(event.operator, names),
  }),
};

/** The extra members of a refusal: the answer to a late decision contains the standing one. */
export const membersOfStandingDecision: ShownMembers<Readonly<Record<string, unknown>>> = {
  idsIn: ({ decision }) => (isDecision(decision) ? [decision.resolved_by] : []),
  withNames: (extra, names) =>
    isDecision(extra['decision']) ? { ...extra, decision: withResolver(extra['decision'], names) } : extra,
};

const isDecision = (value: unknown): value is { resolved_by: string | null } =>
  typeof value === 'object' &&
  value !== null &&
  'resolved_by' in value &&
  (value.resolved_by === null || typeof value.resolved_by === 'string');

const withName = <T extends { readonly id: string }>(operator: T | null, names: MemberNames) =>
  operator === null ? null : { ...operator, name: nameOf(names, operator.id) };

const membersOfEach = <T>({ idsIn, withNames }: ShownMembers<T>) => ({
  idsIn: (items: readonly T[]) => items.flatMap(idsIn),
  withNames: (items: readonly T[], names: MemberNames) => items.map((item) => withNames(item, names)),
});

/** A page of requests. */
export const membersOfApprovals = {
  idsIn: ({ approvals }) => membersOfEach(membersOfApproval).idsIn(approvals),
  withNames: ({ approvals, ...rest }, names) => ({
    ...rest,
    approvals: membersOfEach(membersOfApproval).withNames(approvals, names),
  }),
} satisfies ShownMembers<{ approvals: ApprovalView[]; next_cursor: string | null }>;

/** A page of the log. */
export const membersOfAuditEvents = {
  idsIn: ({ events }) => membersOfEach(membersOfAuditEvent).idsIn(events),
  withNames: ({ events, ...rest }, names) => ({
    ...rest,
    events: membersOfEach(membersOfAuditEvent).withNames(events, names),
  }),
} satisfies ShownMembers<{ events: AuditEvent[]; next_cursor: string | null }>;
