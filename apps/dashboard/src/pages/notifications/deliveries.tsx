import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import {
  allChannels,
  channelsKey,
  deliveriesKey,
  type Delivery,
  listDeliveries,
  redeliver,
} from '../../api/channels.js';
import { usePaged } from '../../api/paged.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { Alert, EmptyState, errorText } from '../../components/notices.js';
import { PagedTable } from '../../components/paged-table.js';
import { Time } from '../../components/time.js';
import { useIsAdmin } from '../../session/session-context.js';
import { DeliveryDialog } from './delivery-dialog.js';
import { type DeliverySearch, deliveryStatusNames } from './delivery-search.js';
import { eventNames } from './event-names.js';

const pageSize = 50;
/** Live events tell only of deliveries that were given up or sent again; attempts and arrivals are seen by asking. */
const refreshMs = 3_000;

export function Deliveries({ search }: { readonly search: DeliverySearch }) {
  const isAdmin = useIsAdmin();
  const queries = useQueryClient();
  const [shown, setShown] = useState<Delivery | null>(null);
  const { data: channels = [] } = useQuery({ queryKey: [...channelsKey, 'all'], queryFn: allChannels });
  const deliveries = usePaged(
    [...deliveriesKey, 'list', search],
    (cursor, signal) => listDeliveries(search, { cursor, limit: pageSize }, signal),
    (page) => page.deliveries,
    refreshMs,
  );
  const again = useMutation({
    mutationFn: redeliver,
    onSettled: () => queries.invalidateQueries({ queryKey: deliveriesKey }),
  });
  const nameOf = (delivery: Delivery) =>
    channels.find(({ id }) => id === delivery.channel_id)?.name ??
    delivery.recipient ??
    delivery.channel_id ??
    '';
  const isSearched = Object.keys(search).length > 0;
  return (
    <section aria-labelledby="deliveries">
      <div className="section-head">
        <h2 id="deliveries">Deliveries</h2>
        <DeliveryFilters search={search} channels={channels} />
      </div>
      {again.error === null ? null : <Alert>{errorText(again.error)}</Alert>}
      <PagedTable
        paged={deliveries}
        caption="Deliveries, newest first"
        moreName="Show older deliveries"
        keyOf={({ id }) => id}
        empty={
          <EmptyState icon="bell" title={isSearched ? 'No delivery matches' : 'Nothing has been sent yet'}>
            {isSearched ? (
              <Link className="btn" to="/notifications" search={{}}>
                Clear filters
              </Link>
            ) : null}
          </EmptyState>
        }
        columns={[
          {
            name: 'Event',
            header: true,
            cell: (delivery) => (
              <>
                <button
                  className="btn quiet"
                  type="button"
                  aria-haspopup="dialog"
                  onClick={() => setShown(delivery)}
                >
                  {eventNames[delivery.event_type]}
                </button>
                <span className="sub">
                  <Time at={delivery.created_at} show="exact" />
                </span>
              </>
            ),
          },
          { name: 'To', cell: (delivery) => <HostileText text={nameOf(delivery)} /> },
          { name: 'State', cell: (delivery) => <DeliveryState delivery={delivery} /> },
          ...(isAdmin
            ? [
                {
                  name: 'Actions',
                  cell: ({ id, status, event_type }: Delivery) =>
                    status === 'pending' ? null : (
                      <button
                        className="btn"
                        type="button"
                        disabled={again.isPending}
                        onClick={() => again.mutate(id)}
                      >
                        Send again<span className="sr">: {eventNames[event_type]}</span>
                      </button>
                    ),
                },
              ]
            : []),
        ]}
      />
      {shown === null ? null : (
        <DeliveryDialog delivery={shown} to={nameOf(shown)} onClose={() => setShown(null)} />
      )}
    </section>
  );
}

const tones = {
  pending: ['flat', 'clock'],
  delivered: ['ok', 'check'],
  kept: ['warn', 'inbox'],
  superseded: ['flat', 'off'],
  dead: ['bad', 'x'],
} as const;

function DeliveryState({
  delivery: { status, attempts_made, next_attempt_at, error },
}: {
  readonly delivery: Delivery;
}) {
  const [tone, icon] = tones[status];
  const isRetrying = status === 'pending' && attempts_made > 0;
  return (
    <>
      <span className={`tag ${isRetrying ? 'warn' : tone}`}>
        <Icon name={isRetrying ? 'warn' : icon} />
        {status === 'pending' ? (isRetrying ? 'Retrying' : 'Waiting') : deliveryStatusNames[status]}
      </span>
      <span className="sub">
        {attempts_made === 0 ? '' : attempts_made === 1 ? '1 attempt' : `${String(attempts_made)} attempts`}
        {isRetrying && next_attempt_at !== null ? (
          <>
            , next at <Time at={next_attempt_at} show="clock" />
          </>
        ) : null}
      </span>
      {error === null || status === 'delivered' ? null : (
        <span className="sub">
          <HostileText text={error} />
        </span>
      )}
    </>
  );
}

interface DeliveryFiltersProps {
  readonly search: DeliverySearch;
  readonly channels: readonly { readonly id: string; readonly name: string }[];
}

function DeliveryFilters({ search, channels }: DeliveryFiltersProps) {
  const navigate = useNavigate();
  const choose = (name: 'status' | 'channel_id', value: string) => {
    const { [name]: _, ...rest } = search;
    void navigate({
      to: '/notifications',
      search: (value === '' ? rest : { ...rest, [name]: value }) as DeliverySearch,
      replace: true,
    });
  };
  return (
    <>
      <select
        className="field"
        aria-label="State of deliveries"
        value={search.status ?? ''}
        onChange={(event) => choose('status', event.currentTarget.value)}
      >
        <option value="">Any state</option>
        {Object.entries(deliveryStatusNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </select>
      <select
        className="field"
        aria-label="Channel of deliveries"
        value={search.channel_id ?? ''}
        onChange={(event) => choose('channel_id', event.currentTarget.value)}
      >
        <option value="">Any channel</option>
        {channels.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </>
  );
}
