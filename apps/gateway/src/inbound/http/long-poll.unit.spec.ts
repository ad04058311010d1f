import { EventEmitter } from 'node:events';
import { clientGoneSignal } from './long-poll.js';
import type { GatewayReply } from './http-request.js';

const replyOn = (state: { destroyed: boolean; writableFinished: boolean }) => {
  const raw = Object.assign(new EventEmitter(), state);
  return { raw, reply: { raw } as unknown as GatewayReply };
};
const waiting = { grant: false, waitSeconds: 60 };

describe('the signal that the client is gone', () => {
  it('is aborted at the end of the connection, unless the answer was sent', () => {
    const left = replyOn({ destroyed: false, writableFinished: false });
    const signal = clientGoneSignal(left.reply, waiting);
    expect(signal.aborted).toBe(false);
    left.raw.emit('close');
    expect(signal.aborted).toBe(true);
    const answered = replyOn({ destroyed: false, writableFinished: true });
    const other = clientGoneSignal(answered.reply, waiting);
    answered.raw.emit('close');
    expect(other.aborted).toBe(false);
  });

  it('is aborted at once when the client disconnected before', () =>
    expect(
      clientGoneSignal(replyOn({ destroyed: true, writableFinished: false }).reply, waiting).aborted,
    ).toBe(true));

  it('is not made for a request that does not wait', () => {
    const { raw, reply } = replyOn({ destroyed: true, writableFinished: false });
    expect(clientGoneSignal(reply, { grant: true, waitSeconds: 0 }).aborted).toBe(false);
    expect(raw.listenerCount('close')).toBe(0);
  });
});
