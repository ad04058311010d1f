import type { Posture, PostureComponent, PostureComponentName } from '@agentlattice/contracts';

/** `some` of `all`; with 0 of 0 the component has the full score. */
export interface Share {
  readonly some: number;
  readonly all: number;
}

/** Counts from the last days of a log. */
export interface PostureFacts {
  /** The last full check of the log, or the progress of the first one; null without a log. */
  readonly integrity: {
    readonly valid: boolean;
    readonly complete: boolean;
    readonly checked: number;
    readonly size: number;
    readonly at: string;
  } | null;
  /** Submissions that a policy governed. */
  readonly governed: Share;
  /** Requests that people decided, of the requests that people decided or that timed out. */
  readonly decided: Share;
  /** Executed and approved actions whose outcome was reported. */
  readonly reported: Share;
}

const weights: Readonly<Record<PostureComponentName, number>> = {
  audit_integrity: 30,
  policy_coverage: 30,
  human_oversight: 20,
  outcome_reporting: 20,
};

/** A component without data has the full score. */
export function postureOf({ integrity, governed, decided, reported }: PostureFacts): Posture {
  const components = {
    audit_integrity: integrityOf(integrity),
    policy_coverage: shared('policy_coverage', governed, 'submissions were governed by a policy'),
    human_oversight: shared(
      'human_oversight',
      decided,
      'requests were decided by people before they timed out',
    ),
    outcome_reporting: shared('outcome_reporting', reported, 'executed or approved actions have a report'),
  };
  const score = Object.values(components).reduce((sum, { score }) => sum + score, 0);
  return { score: rounded(score), components };
}

/** Entries that are not checked yet do not count as intact. */
function integrityOf(integrity: PostureFacts['integrity']): PostureComponent {
  const judged = (share: number, detail: string) => component('audit_integrity', share, detail);
  if (integrity === null) return judged(1, 'Nothing to judge: there is no log yet.');
  const { valid, complete, checked, size, at } = integrity;
  if (!valid)
    return judged(0, `The log is broken after ${String(checked)} entries; see /api/v1/audit/verify.`);
  if (complete) return judged(1, `All ${String(checked)} entries were sound at ${at}.`);
  return judged(
    size === 0 ? 0 : Math.min(1, checked / size),
    `The first check is under way: ${String(checked)} of ${String(size)} entries were looked at.`,
  );
}

function shared(name: PostureComponentName, { some, all }: Share, what: string): PostureComponent {
  if (all === 0) return component(name, 1, 'Nothing to judge in the last 30 days.');
  return component(name, some / all, `${String(some)} of ${String(all)} ${what} in the last 30 days.`);
}

const component = (name: PostureComponentName, share: number, detail: string): PostureComponent => ({
  score: rounded(weights[name] * share),
  max: weights[name],
  detail,
});
const rounded = (score: number) => Math.round(score * 10) / 10;
