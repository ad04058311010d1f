import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { ApiRefusal } from '../../api/client.js';
import { approvalKey, getApproval } from '../../api/approvals.js';
import type { Approval } from '../../api/types.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { LoadingTiles } from '../../components/loading.js';
import { Banner, EmptyState, ErrorState } from '../../components/notices.js';
import { Time, zoneName } from '../../components/time.js';
import { useKeys } from '../../components/use-keys.js';
import { useTitle } from '../../components/use-title.js';
import type { Outcome } from '../../domain/decision-outcome.js';
import { noteShown } from '../../live/seen.js';
import { RequestTags } from '../../requests/cues.js';
import { EndTag } from '../../requests/end-tag.js';
import { OutcomeText } from '../../requests/receipt.js';
import { endedOf, isOpen } from '../../requests/use-decision.js';
import { useMayDecide } from '../../session/session-context.js';
import { KeysDialog } from '../../shell/keys-dialog.js';
import { NotLiveBanner } from '../../shell/live-status.js';
import { BeforeYouDecide } from './before-you-decide.js';
import { Decide } from './decide.js';
import { History } from './history.js';
import { SentTable } from './sent-table.js';
import { WhyItAsks } from './why-it-asks.js';

const route = getRouteApi('/shell/approvals/$approvalId');

export function RequestPage() {
  const { approvalId } = route.useParams();
  const { data, error, refetch } = useQuery({
    queryKey: approvalKey(approvalId),
    queryFn: ({ signal }) => getApproval(approvalId, signal),
    staleTime: 0,
  });
  if (data !== undefined) return <Request key={data.id} approval={data} />;
  if (error instanceof ApiRefusal && error.status === 404) return <NotThere />;
  if (error !== null) return <ErrorState error={error} onRetry={() => void refetch()} />;
  return <LoadingTiles count={1} />;
}

function NotThere() {
  useTitle('No such request');
  return (
    <>
      <h1>No such request</h1>
      <EmptyState icon="search" title="This workspace has no such request">
        <span className="soft">
          The link may be of another workspace. Switch to it, and open the link again.
        </span>
        <Link className="btn" to="/approvals">
          To the waiting requests
        </Link>
      </EmptyState>
    </>
  );
}

function Request({ approval }: { readonly approval: Approval }) {
  const mayDecide = useMayDecide();
  const router = useRouter();
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [isKeysOpen, setKeysOpen] = useState(false);
  useTitle(approval.action_type);
  useEffect(() => noteShown(approval.id), [approval.id]);
  const press = (act: string, click: boolean) => () => {
    const button = document.querySelector<HTMLButtonElement>(`.decide button[data-act="${act}"]`);
    button?.focus();
    if (click) button?.click();
  };
  useKeys({
    a: press('approve', false),
    d: press('deny', true),
    f: press('forever', true),
    '?': () => setKeysOpen(true),
    Escape: () => void router.navigate({ to: '/approvals' }),
  });
  const open = isOpen(approval);
  // An outcome of one's own says more than the end alone; a recorded vote is over when the request is.
  const shown: Outcome | null =
    open || (outcome !== null && outcome.kind !== 'vote_recorded')
      ? outcome
      : { kind: 'ended', ended: endedOf(approval) };
  return (
    <div className="detail">
      <NotLiveBanner />
      <Link className="crumb" to="/approvals" activeOptions={{ exact: true }}>
        <Icon name="back" />
        All waiting requests
      </Link>
      <div className="head">
        <h1>
          {approval.action_type}
          <RequestTags approval={approval} />
          {open ? null : <EndTag approval={approval} />}
        </h1>
        <p className="soft">
          <b>
            <HostileText text={approval.agent.name} />
          </b>{' '}
          · policy <HostileText text={approval.policy_name} />, version {approval.policy.version} · asked{' '}
          <Time at={approval.created_at} /> · <code className="dim">{approval.id}</code> · times in{' '}
          {zoneName()}
        </p>
      </div>
      {mayDecide ? null : (
        <Banner icon="eye">
          <b>View only.</b> Your role is viewer. Members and admins decide; you see the same request, live.
        </Banner>
      )}
      <div role="status">
        {shown === null ? null : (
          <div className="receipt outcome">
            <OutcomeText approval={approval} outcome={shown} />
          </div>
        )}
      </div>
      <div className="two">
        <div className="stack">
          <BeforeYouDecide approval={approval} />
          <SentTable approval={approval} />
          <WhyItAsks approval={approval} />
          <History approval={approval} />
        </div>
        <Decide approval={approval} isOpen={open} onOutcome={setOutcome} />
      </div>
      {isKeysOpen ? <KeysDialog onClose={() => setKeysOpen(false)} /> : null}
    </div>
  );
}
