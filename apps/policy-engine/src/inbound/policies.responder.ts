import { type CommandRequest, policyEngineCommands as commands } from '@agentlattice/contracts';
import { replay } from '@agentlattice/event-store';
import type { CommandContext } from '@agentlattice/messaging';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import { typeid } from 'typeid-js';
import type { AllowForever } from '../application/allow-forever.js';
import type { ChangePolicy } from '../application/change-policy.js';
import type { CheckAction } from '../application/check-action.js';
import type { CheckChannels } from '../application/check-channels.js';
import type { PlanForever } from '../application/plan-forever.js';
import type { RejudgeRequests } from '../application/rejudge-requests.js';
import type { WarnOfUnfillableQuorum } from '../application/warn-of-unfillable-quorum.js';
import type { PolicyReader } from '../read/policy-reader.js';
import {
  ALLOW_FOREVER,
  CHANGE_POLICY,
  CHECK_ACTION,
  CHECK_CHANNELS,
  PLAN_FOREVER,
  POLICY_READER,
  REJUDGE_REQUESTS,
  WARN_OF_UNFILLABLE_QUORUM,
} from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

@Controller()
export class PoliciesResponder {
  constructor(
    @Inject(CHANGE_POLICY) private readonly change: ChangePolicy,
    @Inject(CHECK_CHANNELS) private readonly checkChannels: CheckChannels,
    @Inject(CHECK_ACTION) private readonly checkAction: CheckAction,
    @Inject(POLICY_READER) private readonly reader: PolicyReader,
    @Inject(REJUDGE_REQUESTS) private readonly rejudgeRequests: RejudgeRequests,
    @Inject(ALLOW_FOREVER) private readonly forever: AllowForever,
    @Inject(PLAN_FOREVER) private readonly planForever: PlanForever,
    @Inject(WARN_OF_UNFILLABLE_QUORUM) private readonly warned: WarnOfUnfillableQuorum,
    @Inject(POOL) private readonly pool: pg.Pool,
  ) {}

  @MessagePattern(commands.create_policy.subject, { command: commands.create_policy })
  async create(@Payload() request: Request<'create_policy'>, @Ctx() { traceparent }: CommandContext) {
    await this.checkChannels(request.org_id, request.policy.escalation);
    const policyId = typeid('pol').toString();
    const { view } = await this.change(
      { type: 'CreatePolicy', policyId, content: request.policy },
      { ...request, traceparent },
    );
    return this.warned(request.org_id, await view(), request);
  }

  @MessagePattern(commands.update_policy.subject, { command: commands.update_policy })
  async update(@Payload() request: Request<'update_policy'>, @Ctx() { traceparent }: CommandContext) {
    const { policy_id: policyId, patch, expected_version: expectedVersion } = request;
    await this.checkChannels(request.org_id, patch.escalation);
    const { view } = await this.change(
      { type: 'UpdatePolicy', policyId, patch, expectedVersion },
      { ...request, traceparent },
    );
    return this.warned(request.org_id, await view(), request);
  }

  @MessagePattern(commands.delete_policy.subject, { command: commands.delete_policy })
  async delete(@Payload() request: Request<'delete_policy'>, @Ctx() { traceparent }: CommandContext) {
    const { policy_id: policyId, expected_version: expectedVersion } = request;
    const { version } = await this.change(
      { type: 'DeletePolicy', policyId, expectedVersion },
      { ...request, traceparent },
    );
    return { policy_id: policyId, version };
  }

  @MessagePattern(commands.get_policy.subject, { command: commands.get_policy })
  get(@Payload() { org_id, policy_id }: Request<'get_policy'>) {
    return this.reader.get(org_id, policy_id);
  }

  @MessagePattern(commands.list_policies.subject, { command: commands.list_policies })
  list(@Payload() request: Request<'list_policies'>) {
    return this.reader.list(request);
  }

  @MessagePattern(commands.list_versions.subject, { command: commands.list_versions })
  versions(@Payload() request: Request<'list_versions'>) {
    return this.reader.versions(request);
  }

  @MessagePattern(commands.check.subject, { command: commands.check })
  check(@Payload() request: Request<'check'>) {
    return this.checkAction(request);
  }

  @MessagePattern(commands.rejudge.subject, { command: commands.rejudge })
  rejudge(@Payload() request: Request<'rejudge'>) {
    return this.rejudgeRequests(request);
  }

  @MessagePattern(commands.allow_forever.subject, { command: commands.allow_forever })
  allowForever(@Payload() request: Request<'allow_forever'>, @Ctx() { traceparent }: CommandContext) {
    return this.forever(request, traceparent);
  }

  @MessagePattern(commands.plan_forever.subject, { command: commands.plan_forever })
  plan(@Payload() request: Request<'plan_forever'>) {
    return this.planForever(request);
  }

  @MessagePattern(commands.replay.subject, { command: commands.replay })
  replay(@Payload() request: Request<'replay'>) {
    return replay(this.pool, 'policy-engine', request);
  }
}
