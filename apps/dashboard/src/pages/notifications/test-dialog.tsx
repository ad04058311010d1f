import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { type Channel, type ChannelTest, deliveriesKey, testChannel } from '../../api/channels.js';
import { Dialog } from '../../components/dialog.js';
import { HostileText } from '../../components/hostile-text.js';
import { Icon } from '../../components/icon.js';
import { Alert, errorText } from '../../components/notices.js';

interface TestProps {
  readonly channel: Channel;
  readonly onClose: () => void;
}

/** Sends a test at once, and shows exactly what was sent and what came back. */
export function TestDialog({ channel, onClose }: TestProps) {
  const queries = useQueryClient();
  const test = useMutation({
    mutationFn: () => testChannel(channel.id),
    onSettled: () => queries.invalidateQueries({ queryKey: deliveriesKey }),
  });
  const { mutate } = test;
  const isSent = useRef(false);
  useEffect(() => {
    // Effects run twice while developing; a test is sent once.
    if (!isSent.current) mutate();
    isSent.current = true;
  }, [mutate]);
  return (
    <Dialog title={`Test of ${channel.name}`} onClose={onClose}>
      <div className="wide" role="status">
        {test.data !== undefined ? (
          <Result of={test.data} />
        ) : test.error === null ? (
          'Sending…'
        ) : (
          <Alert>{errorText(test.error)}</Alert>
        )}
      </div>
      <div className="ends">
        <button className="btn" type="button" disabled={test.isPending} onClick={() => mutate()}>
          Send it again
        </button>
        <button className="btn solid" type="button" data-autofocus onClick={onClose}>
          Done
        </button>
      </div>
    </Dialog>
  );
}

const outcomes = {
  delivered: ['ok', 'check', 'It arrived'],
  kept: ['warn', 'inbox', 'Kept here: no mail server is configured'],
  failed: ['bad', 'x', 'It did not arrive'],
} as const;

function Result({ of: { outcome, duration_ms, request, answer, error } }: { readonly of: ChannelTest }) {
  const [tone, icon, title] = outcomes[outcome];
  return (
    <div className="stack">
      <p>
        <span className={`tag ${tone}`}>
          <Icon name={icon} />
          {title}
        </span>{' '}
        <span className="soft">
          after {duration_ms.toLocaleString('en-US')} ms
          {error === null ? '' : `. ${error}`}
        </span>
      </p>
      <section aria-labelledby="sent">
        <h3 id="sent">What was sent</h3>
        <pre className="json" tabIndex={0} role="group" aria-label="The request">
          {`${request.method} ${request.target}\n`}
          {Object.entries(request.headers).map(([name, value]) => `${name}: ${value}\n`)}
          {`\n${request.body}`}
        </pre>
      </section>
      <section aria-labelledby="came">
        <h3 id="came">What came back</h3>
        {answer === null ? (
          <p className="soft">Nothing.</p>
        ) : (
          <pre className="json" tabIndex={0} role="group" aria-label="The answer">
            {answer.status === null ? '' : `${String(answer.status)}\n\n`}
            <HostileText text={answer.body} />
          </pre>
        )}
      </section>
    </div>
  );
}
