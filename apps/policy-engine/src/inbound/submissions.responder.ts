import { evaluateSubject, submissionItem, type SubmissionItem } from '@agentlattice/contracts';
import type { BatchContext } from '@agentlattice/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { JudgeSubmissions } from '../application/judge-submissions.js';
import { JUDGE_SUBMISSIONS } from '../tokens.js';

/** The hot path: batches from the gateways, judged and forwarded to the ledger. */
@Controller()
export class SubmissionsResponder {
  constructor(@Inject(JUDGE_SUBMISSIONS) private readonly submissions: JudgeSubmissions) {}

  @MessagePattern(evaluateSubject, { batch: submissionItem })
  evaluate(@Payload() items: SubmissionItem[], @Ctx() context: BatchContext): Promise<undefined> {
    return this.submissions.judge(items, context);
  }
}
