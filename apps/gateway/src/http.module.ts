import { approvalServiceCommands, policyEngineCommands } from '@agentlattice/contracts';
import type { CommandClient } from '@agentlattice/messaging';
import type { Logger } from '@agentlattice/observability';
import { COMMANDS, LOGGER } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import type { ApproveRequest } from './application/approve-request.js';
import type { AwaitDecision } from './application/await-decision.js';
import type { NameMembers } from './application/name-members.js';
import type { RefusedAccess } from './application/refused-access.js';
import type { SubmitAction } from './application/submit-action.js';
import type { GatewayConfig } from './config.js';
import { ActReleaseInterceptor } from './inbound/http/act-release.interceptor.js';
import { ActionsController } from './inbound/http/actions.controller.js';
import { Admission } from './inbound/http/admission.js';
import { AnswerRelease } from './inbound/http/answer-release.js';
import { approvalReferenceOf } from './inbound/http/approval-reference.js';
import { ApprovalsController } from './inbound/http/approvals.controller.js';
import { AuditController } from './inbound/http/audit.controller.js';
import { ChannelsController } from './inbound/http/channels.controller.js';
import { decisionRoutes } from './inbound/http/decision.routes.js';
import { DelegationsController } from './inbound/http/delegations.controller.js';
import { KeyGuard } from './inbound/http/key-guard.js';
import { PoliciesController } from './inbound/http/policies.controller.js';
import { ProblemFilter } from './inbound/http/problem-filter.js';
import { RateLimit } from './inbound/http/rate-limit.js';
import { ReportsController } from './inbound/http/reports.controller.js';
import { submissionRoutes } from './inbound/http/submission.routes.js';
import { SystemController } from './inbound/http/system.controller.js';
import type { PrincipalDirectory } from './outbound/principal-directory.js';
import type { PrincipalStore } from './outbound/principal-store.js';
import { PrincipalsModule } from './principals.module.js';
import { SubmissionsModule } from './submissions.module.js';
import {
  ADMISSION,
  ANSWER_RELEASE,
  APPROVE_REQUEST,
  AWAIT_DECISION,
  DIRECTORY,
  GATEWAY_CONFIG,
  NAME_MEMBERS,
  PLAIN_ROUTES,
  PROBLEMS,
  REFUSED_ACCESS,
  STORE,
  SUBMIT_ACTION,
} from './tokens.js';

/** The HTTP API: admission, the routes, the release of answers, and refusals as problems. */
@Module({
  imports: [PrincipalsModule, SubmissionsModule],
  controllers: [
    ActionsController,
    ApprovalsController,
    PoliciesController,
    AuditController,
    ChannelsController,
    DelegationsController,
    ReportsController,
    SystemController,
  ],
  providers: [
    {
      provide: ADMISSION,
      inject: [DIRECTORY, GATEWAY_CONFIG, COMMANDS, REFUSED_ACCESS],
      useFactory: (
        directory: PrincipalDirectory,
        { rateLimit }: GatewayConfig,
        commands: CommandClient,
        refused: RefusedAccess,
      ) =>
        new Admission(
          directory,
          new RateLimit(rateLimit),
          (principal, params) =>
            commands.request(
              approvalServiceCommands.approval_status,
              approvalReferenceOf(principal, params as { approval_id: string }),
            ),
          refused,
        ),
    },
    {
      provide: ANSWER_RELEASE,
      inject: [DIRECTORY, STORE, COMMANDS],
      useFactory: (directory: PrincipalDirectory, store: PrincipalStore, commands: CommandClient) =>
        new AnswerRelease(
          directory,
          (orgId, agentId) => store.standing(orgId, agentId),
          async (org_id, delegation_id) =>
            (await commands.request(policyEngineCommands.delegation_standing, { org_id, delegation_id }))
              .live,
        ),
    },
    {
      provide: PLAIN_ROUTES,
      inject: [SUBMIT_ACTION, AWAIT_DECISION, APPROVE_REQUEST, COMMANDS, NAME_MEMBERS],
      useFactory: (
        submitAction: SubmitAction,
        awaitDecision: AwaitDecision,
        approveRequest: ApproveRequest,
        commands: CommandClient,
        nameMembers: NameMembers,
      ) => [
        ...submissionRoutes(submitAction, nameMembers),
        ...decisionRoutes(awaitDecision, approveRequest, commands, nameMembers),
      ],
    },
    { provide: PROBLEMS, inject: [LOGGER], useFactory: (logger: Logger) => new ProblemFilter(logger) },
    {
      provide: APP_GUARD,
      inject: [ADMISSION],
      useFactory: (admission: Admission) => new KeyGuard(admission),
    },
    {
      provide: APP_INTERCEPTOR,
      inject: [ANSWER_RELEASE],
      useFactory: (answers: AnswerRelease) => new ActReleaseInterceptor(answers),
    },
    { provide: APP_FILTER, useExisting: PROBLEMS },
  ],
})
export class HttpModule {}
