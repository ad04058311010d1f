import { type SubmissionAnswer, submissionReplySubject } from '@agentlattice/contracts';
import { publishBatches } from '@agentlattice/messaging';
import type { NatsConnection } from '@nats-io/transport-node';

/** Sends each answer to the gateway that waits for it. */
export function publishAnswers(
  nc: NatsConnection,
  answers: readonly { readonly gateway: string; readonly answer: SubmissionAnswer }[],
): void {
  for (const [gateway, own] of Map.groupBy(answers, (entry) => entry.gateway))
    publishBatches(
      nc,
      submissionReplySubject(gateway),
      null,
      own.map((entry) => entry.answer),
    );
}
