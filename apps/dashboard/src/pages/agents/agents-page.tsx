import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { type Agent, agentsKey, listAgents, resumeAgent } from '../../api/agents.js';
import { usePaged } from '../../api/paged.js';
import { Confirm } from '../../components/confirm.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { EmptyState } from '../../components/notices.js';
import { AdminsChange, PageHead } from '../../components/page-head.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { useIsAdmin } from '../../session/session-context.js';
import { RegisterAgentDialog } from './register-agent-dialog.js';
import { SuspendAgentDialog } from './suspend-agent-dialog.js';

type Open =
  { readonly kind: 'none' | 'register' } | { readonly kind: 'suspend' | 'resume'; readonly agent: Agent };

export function AgentsPage() {
  const isAdmin = useIsAdmin();
  const [open, setOpen] = useState<Open>({ kind: 'none' });
  const close = () => setOpen({ kind: 'none' });
  const agents = usePaged([...agentsKey, 'list'], listAgents, (page) => page.agents);
  const register = (
    <button
      className="btn"
      type="button"
      aria-haspopup="dialog"
      onClick={() => setOpen({ kind: 'register' })}
    >
      Register an agent
    </button>
  );
  return (
    <>
      <PageHead
        title="Agents"
        lead="Programs that ask before they act."
        actions={isAdmin ? register : null}
      />
      <AdminsChange what="agents" />
      <PagedTable
        paged={agents}
        caption="Agents of the workspace"
        moreName="Show more agents"
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="bot" title="No agent is registered">
            <span className="soft">An agent needs a key of its own to ask for approvals.</span>
          </EmptyState>
        }
        columns={[
          { name: 'Agent', header: true, cell: (agent) => <AgentName agent={agent} /> },
          { name: 'State', cell: (agent) => <AgentState agent={agent} /> },
          {
            name: 'Owner',
            cell: ({ owner_name, owner_member_id }) =>
              owner_member_id === null ? (
                <span className="soft">None</span>
              ) : (
                <HostileText text={owner_name ?? owner_member_id} />
              ),
          },
          { name: 'Registered', cell: ({ created_at }) => <Time at={created_at} /> },
          {
            name: isAdmin ? 'Actions' : 'Requests',
            cell: (agent) => (
              <span className="acts-cell">
                <Link className="btn quiet" to="/approvals" search={{ agent_id: agent.id, show: 'all' }}>
                  Requests<span className="sr"> of {agent.name}</span>
                </Link>
                <Link className="btn quiet" to="/audit" search={{ agent_id: agent.id }}>
                  Log<span className="sr"> of {agent.name}</span>
                </Link>
                {isAdmin ? (
                  <button
                    className="btn"
                    type="button"
                    aria-haspopup="dialog"
                    onClick={() => setOpen({ kind: agent.suspended ? 'resume' : 'suspend', agent })}
                  >
                    {agent.suspended ? 'Resume' : 'Suspend'}
                    <span className="sr"> {agent.name}</span>
                  </button>
                ) : null}
              </span>
            ),
          },
        ]}
      />
      {open.kind === 'register' ? <RegisterAgentDialog onClose={close} /> : null}
      {open.kind === 'suspend' ? <SuspendAgentDialog agent={open.agent} onClose={close} /> : null}
      {open.kind === 'resume' ? <ResumeAgentDialog agent={open.agent} onClose={close} /> : null}
    </>
  );
}

const AgentName = ({ agent: { name, description, id } }: { readonly agent: Agent }) => (
  <>
    <HostileText text={name} />
    {description === null ? null : (
      <span className="sub">
        <HostileText text={description} />
      </span>
    )}
    <code className="sub">{id}</code>
  </>
);

const AgentState = ({ agent }: { readonly agent: Agent }) =>
  agent.suspended ? (
    <>
      <span className="tag bad">
        <Icon name="off" />
        Suspended
      </span>
      <span className="sub">
        {agent.suspended_at === null ? null : <Time at={agent.suspended_at} />}
        {agent.suspended_reason === null ? null : (
          <>
            {' '}
            · <HostileText text={agent.suspended_reason} />
          </>
        )}
      </span>
    </>
  ) : (
    <span className="tag ok">
      <Icon name="check" />
      Active
    </span>
  );

interface ResumeProps {
  readonly agent: Agent;
  readonly onClose: () => void;
}

function ResumeAgentDialog({ agent, onClose }: ResumeProps) {
  const queries = useQueryClient();
  const resume = useMutation({
    mutationFn: () => resumeAgent(agent.id),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: agentsKey });
      onClose();
    },
  });
  return (
    <Confirm
      title={`Resume ${agent.name}?`}
      description="The policies apply to it again from now on. Requests that were approved meanwhile let it act, within the life of their grant."
      verb="Resume"
      doing="Resuming…"
      isDoing={resume.isPending}
      error={resume.error}
      onConfirm={() => resume.mutate()}
      onClose={onClose}
    />
  );
}
