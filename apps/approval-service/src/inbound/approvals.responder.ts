import { approvalServiceCommands as commands, type CommandRequest } from '@agentlattice/contracts';
import { replay } from '@agentlattice/event-store';
import { POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { ApprovalReader } from '../read/approval-reader.js';
import type { RequestViews } from '../read/request-views.js';
import type { ReadDenialReasons } from '../read/denial-reasons.js';
import type { ReadForeverReach } from '../read/forever-reach.js';
import type { ReadOverview } from '../read/overview.js';
import { APPROVAL_READER, DENIAL_REASONS, FOREVER_REACH, OVERVIEW, REQUEST_VIEWS } from '../tokens.js';

type Request<Verb extends keyof typeof commands> = CommandRequest<(typeof commands)[Verb]>;

@Controller()
export class ApprovalsResponder {
  constructor(
    @Inject(APPROVAL_READER) private readonly reader: ApprovalReader,
    @Inject(REQUEST_VIEWS) private readonly views: RequestViews,
    @Inject(FOREVER_REACH) private readonly readForeverReach: ReadForeverReach,
    @Inject(OVERVIEW) private readonly readOverview: ReadOverview,
    @Inject(DENIAL_REASONS) private readonly readDenialReasons: ReadDenialReasons,
    @Inject(POOL) private readonly pool: pg.Pool,
  ) {}

  @MessagePattern(commands.get_approval.subject, { command: commands.get_approval })
  get(@Payload() request: Request<'get_approval'>) {
    return this.views.get(request);
  }

  @MessagePattern(commands.approval_status.subject, { command: commands.approval_status })
  status(@Payload() request: Request<'approval_status'>) {
    return this.reader.status(request);
  }

  @MessagePattern(commands.list_approvals.subject, { command: commands.list_approvals })
  list(@Payload() request: Request<'list_approvals'>) {
    return this.views.list(request);
  }

  @MessagePattern(commands.forever_reach.subject, { command: commands.forever_reach })
  foreverReach(@Payload() request: Request<'forever_reach'>) {
    return this.readForeverReach(request);
  }

  @MessagePattern(commands.overview.subject, { command: commands.overview })
  overview(@Payload() request: Request<'overview'>) {
    return this.readOverview(request);
  }

  @MessagePattern(commands.denial_reasons.subject, { command: commands.denial_reasons })
  denialReasons(@Payload() request: Request<'denial_reasons'>) {
    return this.readDenialReasons(request);
  }

  @MessagePattern(commands.replay.subject, { command: commands.replay })
  replay(@Payload() request: Request<'replay'>) {
    return replay(this.pool, 'approval-service', request);
  }
}
