import { Webhook } from 'standardwebhooks';
import { retryAfterMs } from '../../domain/delivery-schedule.js';
import type { Egress, EgressAnswer } from '../egress.js';
import type { Outcome } from '../../domain/outcome.js';
import type { ChannelSender, Message, Sent } from './channel-sender.js';

/** Statuses that are not the receiver's answer to this message: it is overloaded, or its proxy answers for it. */
const throttling: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Generic webhooks: CloudEvents in structured mode, signed according to Standard Webhooks. */
export class WebhookSender implements ChannelSender<'webhook'> {
  readonly signed = true;

  constructor(private readonly egress: Egress) {}

  async send({ deliveryId, event, settings, secrets, signal, timeoutMs }: Message<'webhook'>): Promise<Sent> {
    const now = new Date();
    const body = JSON.stringify(event);
    const headers = {
      'content-type': 'application/cloudevents+json; charset=utf-8',
      'user-agent': 'AgentLattice-Approvals',
      'webhook-id': deliveryId,
      'webhook-timestamp': String(Math.floor(now.getTime() / 1_000)),
      'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(deliveryId, now, body)).join(' '),
    };
    const request = { method: 'POST', target: settings.url, headers, body };
    try {
      const answer = await this.egress.post({ url: settings.url, headers, body, signal, timeoutMs });
      return { request, outcome: outcomeOf(answer, now) };
    } catch (error) {
      const reason = error instanceof Error ? error.message : 'the request failed';
      return { request, outcome: { kind: 'failed', error: reason, status: null, answer: null } };
    }
  }
}

function outcomeOf({ status, headers, text }: EgressAnswer, now: Date): Outcome {
  const answer = text === '' ? null : text;
  if (status >= 200 && status < 300) return { kind: 'delivered', status, answer };
  const failed = {
    kind: 'failed',
    error: `the receiver answered ${String(status)}`,
    status,
    answer,
  } as const;
  if (status === 410) return { ...failed, final: true, gone: true };
  if (!throttling.has(status)) return { ...failed, refused: true };
  const header = headers['retry-after'];
  return { ...failed, retryAfterMs: retryAfterMs(typeof header === 'string' ? header : undefined, now) };
}
