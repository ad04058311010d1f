import { openItem, type OpenItem, openSubject, Refused } from '@agentlattice/contracts';
import type { Logger } from '@agentlattice/observability';
import { LOGGER, NATS } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { NatsConnection } from '@nats-io/transport-node';
import type { OpenApprovals } from '../application/open-approvals.js';
import { answerOf, failureOf } from '../domain/submission-answer.js';
import { publishAnswers } from '../outbound/submission-answers.js';
import { OPEN_APPROVALS } from '../tokens.js';

/** The last step of a submission that needs a person: the answer leaves once the request is on disk. */
@Controller()
export class OpenResponder {
  constructor(
    @Inject(OPEN_APPROVALS) private readonly open: OpenApprovals,
    @Inject(NATS) private readonly nc: NatsConnection,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @MessagePattern(openSubject, { batch: openItem })
  async openAll(@Payload() items: OpenItem[]): Promise<void> {
    const states = await this.open(items).catch((error: unknown) => {
      this.logger.error({ err: error, items: items.length }, 'requests could not be opened');
      return [];
    });
    publishAnswers(
      this.nc,
      items.map((item, i) => {
        const state = states[i] ?? new Refused('UNAVAILABLE', 'the approval service cannot write');
        return {
          gateway: item.gateway,
          answer:
            state instanceof Refused
              ? failureOf(item, { code: state.code, detail: state.detail })
              : answerOf(item, state),
        };
      }),
    );
  }
}
