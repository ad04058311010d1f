import { type EscalationStep, notifierCommands, Refused } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';

/** Below the time that the gateway waits for an answer. */
const withinMs = 900;

/**
 * Checks that the channels of a new escalation exist in the workspace; the notifier keeps them. Channels that the policy names
 * already are not checked again: a channel may be deleted later, and the policy can still be changed.
 */
export const makeCheckChannels =
  (commands: Pick<CommandClient, 'request'>) =>
  /** @throws Refused VALIDATION_FAILED; Unavailable when the notifier does not answer */
  async (orgId: string, escalation: readonly EscalationStep[] = []): Promise<void> => {
    const named = escalation.flatMap(({ channels }, step) =>
      channels.map((id, place) => ({ id, pointer: `/escalation/${String(step)}/channels/${String(place)}` })),
    );
    if (named.length === 0) return;
    const { channel_ids } = await commands.request(
      notifierCommands.find_channels,
      { org_id: orgId, channel_ids: [...new Set(named.map(({ id }) => id))] },
      { timeoutMs: withinMs },
    );
    const found = new Set(channel_ids);
    const errors = named
      .filter(({ id }) => !found.has(id))
      .map(({ pointer }) => ({ pointer, detail: 'there is no such channel in this workspace' }));
    if (errors.length > 0)
      throw new Refused('VALIDATION_FAILED', 'the policy names channels that do not exist; see errors', {
        errors,
      });
  };
export type CheckChannels = ReturnType<typeof makeCheckChannels>;
