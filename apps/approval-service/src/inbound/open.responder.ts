import { openItem, type OpenItem, openSubject, Refused } from '@agentlattice/contracts';
import { type Logger, recordSpan } from '@agentlattice/observability';
import { HEALTH, type HealthRegistry, LOGGER, NATS, postgresCheck } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Opened, OpenApprovals } from '../application/open-approvals.js';
import { eligibleApprovers } from '../domain/eligible-approvers.js';
import { answerOf, failureOf } from '../domain/submission-answer.js';
import type { Members } from '../outbound/members.js';
import { publishAnswers } from '../outbound/submission-answers.js';
import { MEMBERS, OPEN_APPROVALS } from '../tokens.js';

/** The last step of a submission that needs a person: it is answered once the request is on disk. */
@Controller()
export class OpenResponder {
  constructor(
    @Inject(OPEN_APPROVALS) private readonly open: OpenApprovals,
    @Inject(MEMBERS) private readonly members: Members,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(HEALTH) private readonly health: HealthRegistry,
  ) {}

  @MessagePattern(openSubject, { batch: openItem })
  async openAll(@Payload() items: OpenItem[]): Promise<void> {
    const startedAt = performance.now();
    const [states, members] = await Promise.all([
      // Without waiting for a database that is known to be away: the gateway answers its agent at once.
      (this.health.watchOf(postgresCheck)?.isAway === true
        ? Promise.reject(new Error('PostgreSQL does not answer'))
        : this.open(items)
      ).catch((error: unknown): Opened[] => {
        this.logger.error({ err: error, items: items.length }, 'requests could not be opened');
        return [];
      }),
      // How many members may decide is part of the answer if it is known; finding it out never delays or fails the opening.
      this.members.lately(items.map(({ org_id }) => org_id)).catch(() => new Map<string, never>()),
    ]);
    const outcomes = items.map((item, i) => ({
      item,
      state: states[i] ?? new Refused('UNAVAILABLE', 'the approval service cannot write'),
    }));
    for (const { item, state } of outcomes)
      recordSpan('open approval', {
        ...{ traceparent: item.traceparent, kind: 'consumer', startedAt },
        ...(state instanceof Refused && { failure: state.code }),
      });
    const opened = outcomes.flatMap(({ item, state }) => (state instanceof Refused ? [] : [{ item, state }]));
    const eligible = eligibleApprovers(
      opened.map(({ item: { org_id: orgId }, state }) => ({ ...state, orgId })),
      members,
    );
    const eligibleOf = new Map(opened.map(({ item }, i) => [item, eligible[i] ?? null]));
    publishAnswers(
      this.nc,
      outcomes.map(({ item, state }) => ({
        gateway: item.gateway,
        answer:
          state instanceof Refused
            ? failureOf(item, { code: state.code, detail: state.detail })
            : answerOf(item, state, eligibleOf.get(item) ?? null),
      })),
    );
  }
}
