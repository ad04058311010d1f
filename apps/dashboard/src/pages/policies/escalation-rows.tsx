import { useId } from 'react';
import { TextField } from '../../components/form.js';
import { Suggestions } from '../../components/suggestions.js';
import { emptyStep, type StepDraft } from '../../domain/policy-draft.js';
import type { PolicyFormProps } from './policy-form.js';
import { RowList } from './row-list.js';
import { useChannels, usePeople } from './use-completion.js';

/** Who else is told while nobody decides. */
export function EscalationRows({ draft, faults, onChange }: PolicyFormProps) {
  const channels = useChannels();
  const { emails } = usePeople();
  const id = useId();
  return (
    <section className="card form" aria-labelledby={`${id}e`}>
      <h2 id={`${id}e`}>While nobody decides</h2>
      <Suggestions id={`${id}m`} values={emails} />
      <RowList<StepDraft>
        name="Step"
        help="Each step tells more people, in order of time. It must come before the timeout."
        fault={faults.at('/escalation')}
        rows={draft.escalation}
        empty={emptyStep}
        onChange={(escalation) => onChange({ escalation })}
        row={(step, i, change) => {
          const at = `/escalation/${String(i)}`;
          return (
            <>
              <div className="pair">
                <TextField
                  label="After"
                  required
                  maxLength={40}
                  value={step.after}
                  onChange={(event) => change({ after: event.currentTarget.value })}
                  fault={faults.at(`${at}/after`)}
                />
                <TextField
                  label="Mail to"
                  hint="(addresses, with commas)"
                  list={`${id}m`}
                  value={step.contacts}
                  onChange={(event) => change({ contacts: event.currentTarget.value })}
                  fault={faults.at(`${at}/contacts`) ?? faults.below(`${at}/contacts`)[0]}
                />
                <TextField
                  label="Again every"
                  hint="(optional)"
                  maxLength={40}
                  placeholder="5m"
                  value={step.every}
                  onChange={(event) => change({ every: event.currentTarget.value })}
                  fault={faults.at(`${at}/repeat/every`)}
                />
                {step.every.trim() === '' ? null : (
                  <TextField
                    label="How many times"
                    type="number"
                    min={1}
                    max={100}
                    required
                    value={step.times}
                    onChange={(event) => change({ times: event.currentTarget.value })}
                    fault={faults.at(`${at}/repeat/times`)}
                  />
                )}
              </div>
              <fieldset>
                <legend>Channels</legend>
                {channels.length === 0 ? (
                  <p className="fine">There is no channel yet. Channels are made under Notifications.</p>
                ) : (
                  <div className="choices">
                    {channels.map((channel) => (
                      <label key={channel.id} className="choice">
                        <input
                          type="checkbox"
                          checked={step.channels.includes(channel.id)}
                          onChange={(event) =>
                            change({
                              channels: event.currentTarget.checked
                                ? [...step.channels, channel.id]
                                : step.channels.filter((other) => other !== channel.id),
                            })
                          }
                        />
                        <span>{channel.name}</span>
                      </label>
                    ))}
                  </div>
                )}
                {faults.below(`${at}/channels`).map((fault) => (
                  <p key={fault} className="fault">
                    {fault}
                  </p>
                ))}
              </fieldset>
            </>
          );
        }}
      />
    </section>
  );
}
