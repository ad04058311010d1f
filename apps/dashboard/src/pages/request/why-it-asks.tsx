import type { Approval } from '../../api/types.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { conditionText } from '../../domain/condition-text.js';
import { pointerOf, valueAt, valueText } from '../../domain/fields.js';

/** Each condition of the policy, and whether it held. */
export function WhyItAsks({ approval }: { readonly approval: Approval }) {
  const { conditions_evaluated, policy_name, metadata } = approval;
  return (
    <section className="card" aria-labelledby="why">
      <h2 id="why">Why it asks</h2>
      {conditions_evaluated.length === 0 ? (
        <p>
          The policy <HostileText text={policy_name} /> always asks for this action.
        </p>
      ) : (
        <ul className="cond">
          {conditions_evaluated.map((condition, i) => (
            <li key={i} className={condition.result ? 't' : 'f'}>
              <Icon name={condition.result ? 'check' : 'x'} />
              <span>
                <code>
                  <HostileText text={conditionText(condition)} />
                </code>{' '}
                {condition.result ? (
                  'held.'
                ) : (
                  <>
                    did not hold
                    <Actual value={valueAt(metadata, pointerOf(condition.field.split('.')))} />
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Actual({ value }: { readonly value: unknown }) {
  if (value === undefined || value === null || typeof value === 'object') return '.';
  return (
    <>
      : it is <HostileText text={valueText(value)} />.
    </>
  );
}
