import { evaluateSubject, submissionItem, type SubmissionItem } from '@agentlattice/contracts';
import type { BatchContext, Forward } from '@agentlattice/messaging';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type { makeJudgeSubmissions } from '../application/judge-submissions.js';
import { JUDGE_SUBMISSIONS } from '../tokens.js';

/** The hot path: batches from the gateways, on to the ledger. */
@Controller()
export class SubmissionsResponder {
  constructor(@Inject(JUDGE_SUBMISSIONS) private readonly judge: ReturnType<typeof makeJudgeSubmissions>) {}

  @MessagePattern(evaluateSubject, { batch: submissionItem })
  evaluate(@Payload() items: SubmissionItem[], @Ctx() context: BatchContext): Forward[] {
    return this.judge(items, context);
  }
}
