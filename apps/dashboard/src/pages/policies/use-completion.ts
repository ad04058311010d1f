import { useQuery } from '@tanstack/react-query';
import { approvalsKey, listApprovals } from '../../api/approvals.js';
import { auditKey, listAudit } from '../../api/audit.js';
import { allChannels, channelsKey } from '../../api/channels.js';
import { allMembers, membersKey } from '../../api/members.js';
import { fieldsOf } from '../../domain/fields.js';

const recentRequests = 100;
const always = [
  'agent.id', 'agent.name', 'agent.owner_member_id', 'time.hour', 'time.minute', 'time.weekday', 'time.day', 'time.month',
  'time.year', 'time.iso',
]; // prettier-ignore

const pathsOf = (metadata: Readonly<Record<string, unknown>>) => fieldsOf(metadata).map(({ label }) => label);

/** What agents sent lately: the paths of its fields, and its action types. */
export function useRecentFields() {
  const approvals = useQuery({
    queryKey: [...approvalsKey, 'recent-fields'],
    queryFn: ({ signal }) => listApprovals({}, { limit: recentRequests }, signal),
  });
  const actions = useQuery({
    queryKey: [...auditKey, 'recent-actions'],
    queryFn: ({ signal }) => listAudit({ type: 'action.executed' }, { limit: recentRequests }, signal),
  });
  const seen = [...(approvals.data?.approvals ?? []), ...(actions.data?.events ?? [])];
  return {
    paths: [...new Set([...seen.flatMap(({ metadata }) => pathsOf(metadata)), ...always])],
    actionTypes: [...new Set(seen.flatMap(({ action_type }) => (action_type === null ? [] : [action_type])))],
  };
}

/** Groups and addresses of the workspace's people. */
export function usePeople() {
  const { data = [] } = useQuery({ queryKey: [...membersKey, 'all'], queryFn: allMembers });
  const active = data.filter(({ status }) => status === 'active');
  return {
    groups: [...new Set(active.flatMap(({ groups }) => groups))].sort(),
    emails: active.map(({ email }) => email),
    inGroup: (group: string) => active.filter(({ groups }) => groups.includes(group)).length,
  };
}

export const useChannels = () =>
  useQuery({ queryKey: [...channelsKey, 'all'], queryFn: allChannels }).data ?? [];
