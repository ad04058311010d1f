import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { deliveriesKey, listDeliveries } from '../../api/channels.js';
import { loadAll } from '../../api/paged.js';
import { listPolicies, policiesKey } from '../../api/policies.js';
import { Icon, type IconName } from '../../components/icon.js';
import { Time } from '../../components/time.js';
import { plural } from '../../domain/time-left.js';
import { verdictText } from '../../domain/verdict-text.js';
import { useVerification } from '../audit/log-verdict.js';

const checkedDeliveries = 200;

/** Whether the parts that nobody watches all day are well. */
export const Health = () => (
  <ul className="health">
    <LogHealth />
    <DeliveryHealth />
    <PolicyHealth />
  </ul>
);

interface ItemProps {
  readonly icon: IconName;
  readonly isWell: boolean;
  readonly children: ReactNode;
}

const Item = ({ icon, isWell, children }: ItemProps) => (
  <li className={isWell ? undefined : 'w'}>
    <Icon name={isWell ? icon : 'warn'} />
    <span>{children}</span>
  </li>
);

const unknown = 'not known now';

function LogHealth() {
  const { data, isError } = useVerification();
  if (data === undefined)
    return (
      <Item icon="shield" isWell={!isError}>
        <b>Audit log</b> {isError ? unknown : 'is asked for'}
      </Item>
    );
  const { isIntact, title } = verdictText(data);
  return (
    <Item icon="shield" isWell={isIntact}>
      <b>{isIntact ? 'Audit log intact' : title}</b>
      {isIntact ? ` to entry ${Math.max(0, data.verified_through_row - 1).toLocaleString('en-US')}` : ''}
      <br />
      <Link to="/audit" search={{}}>
        checked <Time at={data.timestamp} />
      </Link>
    </Item>
  );
}

function DeliveryHealth() {
  const { data, isError } = useQuery({
    queryKey: [...deliveriesKey, 'retrying'],
    queryFn: ({ signal }) => listDeliveries({ status: 'pending' }, { limit: checkedDeliveries }, signal),
  });
  if (data === undefined)
    return (
      <Item icon="bell" isWell={!isError}>
        <b>Deliveries</b> {isError ? unknown : 'are asked for'}
      </Item>
    );
  const retrying = data.deliveries.filter(({ attempts_made }) => attempts_made > 0).length;
  const more = data.next_cursor === null ? '' : ' or more';
  return (
    <Item icon="bell" isWell={retrying === 0}>
      <b>
        {retrying === 0
          ? 'No delivery retries'
          : `${plural(retrying, 'delivery').replace('deliverys', 'deliveries')}${more} retrying`}
      </b>
      <br />
      <Link to="/notifications" search={{ status: 'pending' }}>
        See deliveries
      </Link>
    </Item>
  );
}

function PolicyHealth() {
  const { data, isError } = useQuery({
    queryKey: [...policiesKey, 'all'],
    queryFn: () =>
      loadAll(
        (cursor) => listPolicies({ cursor, limit: 200 }),
        (page) => page.policies,
      ),
  });
  if (data === undefined)
    return (
      <Item icon="rule" isWell={!isError}>
        <b>Policies</b> {isError ? unknown : 'are asked for'}
      </Item>
    );
  const active = data.filter((policy) => policy.active && policy.mode === 'enforce').length;
  const shadow = data.filter((policy) => policy.active && policy.mode === 'shadow').length;
  const last = data
    .map(({ updated_at }) => updated_at)
    .sort()
    .at(-1);
  return (
    <Item icon="rule" isWell={active > 0}>
      <b>{active === 1 ? '1 policy active' : `${active.toLocaleString('en-US')} policies active`}</b>
      {shadow === 0 ? '' : `, ${String(shadow)} in shadow`}
      <br />
      <Link to="/policies">
        {last === undefined ? (
          'See policies'
        ) : (
          <>
            last change <Time at={last} />
          </>
        )}
      </Link>
    </Item>
  );
}
