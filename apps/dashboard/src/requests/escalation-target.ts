import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client.js';
import { listed } from '../domain/decision-outcome.js';
import { plural } from '../domain/time-left.js';

interface Target {
  readonly contacts: readonly string[];
  readonly channels: readonly string[];
}

interface ChannelPage {
  readonly channels: readonly { readonly id: string; readonly name: string }[];
}

const longestMs = 300_000;

/** Whom an escalation tells, by address and by the name of the channel; empty when there is no escalation. */
export function useTargetText(target: Target | null | undefined): string {
  const wanted = target?.channels ?? [];
  const { data } = useQuery({
    queryKey: ['channels', 'names'],
    queryFn: () => call<ChannelPage>('GET', '/api/v1/channels', { query: { limit: 200 } }),
    enabled: wanted.length > 0,
    staleTime: longestMs,
  });
  const names = wanted.map((id) => data?.channels.find((channel) => channel.id === id)?.name);
  const known = names.filter((name) => name !== undefined);
  const unknown = names.length - known.length;
  const others = unknown === 0 ? [] : [plural(unknown, 'channel')];
  return listed([...(target?.contacts ?? []), ...known, ...others], 'and');
}
