import { channelSettings, type ChannelSettings, Refused } from '@agentlattice/contracts';

/** @throws Refused VALIDATION_FAILED for members that are wrong, or belong to another type */
export function readSettings(type: keyof typeof channelSettings, given: object): ChannelSettings {
  const read = channelSettings[type].safeParse(given);
  if (read.success) return read.data;
  const errors = read.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          pointer: `/${key}`,
          detail: `does not belong to a channel of type ${type}`,
        }))
      : [{ pointer: `/${issue.path.map(String).join('/')}`, detail: issue.message }],
  );
  throw new Refused('VALIDATION_FAILED', 'the settings of the channel have faults; see errors', { errors });
}
