import type { StoredEvent } from '@agentlattice/event-store';
import { wakeWaiters } from './wake-waiters.js';

const event = (stream_id: string, type = 'approval.approved') => ({ stream_id, type }) as StoredEvent;

describe('waking waiting gateways', () => {
  it('happens for events that end a request only', () => {
    const woken: string[] = [];
    const nc = { publish: (subject: string) => void woken.push(subject) };
    wakeWaiters(nc, [event('a'), event('b', 'approval.vote_cast'), event('c', 'approval.timed_out')]);
    expect(woken).toEqual(['wake.a', 'wake.c']);
  });

  it('never throws, even if the connection is closed or a hint cannot be made', () => {
    const woken: string[] = [];
    const nc = {
      publish: (subject: string) => {
        if (subject === 'wake.a') throw new Error('the connection is closed');
        woken.push(subject);
      },
    };
    const noHint = ({ stream_id }: StoredEvent) => {
      if (stream_id === 'b') throw new Error('no key');
      return null;
    };
    expect(() => wakeWaiters(nc, [event('a'), event('b'), event('c')], noHint)).not.toThrow();
    expect(woken).toEqual(['wake.c']);
  });
});
