import { auditLedgerCommands as commands, type CommandRequest, Refused } from '@agentlattice/contracts';
import { type GrantSigner, POOL } from '@agentlattice/service';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type pg from 'pg';
import type { LogChecks } from '../application/log-checks.js';
import type { LedgerConfig } from '../config.js';
import type { CheckpointStore } from '../outbound/checkpoint-store.js';
import type { LedgerKeys } from '../outbound/ledger-keys.js';
import { postureOf } from '../domain/posture.js';
import { replayOwn } from '../outbound/own-events.js';
import { readDisclosed } from '../read/read-disclosed.js';
import { readEntries } from '../read/read-entries.js';
import { postureFacts } from '../read/posture-facts.js';
import { recordedPolicies } from '../read/recorded-policies.js';
import { searchEntries } from '../read/search-entries.js';
import { issueGrant, requestedAction } from '../read/submissions.js';
import { CHECKPOINTS, CHECKS, GRANTS, KEYS, LEDGER_CONFIG } from '../tokens.js';
import { LedgerWriter } from './ledger-writer.js';

/** All queries, one method each; any instance answers from the tables. */
@Controller()
export class LedgerQueriesController {
  constructor(
    @Inject(POOL) private readonly pool: pg.Pool,
    @Inject(LEDGER_CONFIG) private readonly config: LedgerConfig,
    @Inject(KEYS) private readonly keys: LedgerKeys,
    @Inject(GRANTS) private readonly grants: GrantSigner,
    @Inject(CHECKPOINTS) private readonly checkpoints: CheckpointStore,
    @Inject(CHECKS) private readonly checks: LogChecks,
    @Inject(LedgerWriter) private readonly writer: LedgerWriter,
  ) {}

  @MessagePattern(commands.search.subject, { command: commands.search })
  search(@Payload() request: CommandRequest<typeof commands.search>) {
    return searchEntries(this.pool, request);
  }

  @MessagePattern(commands.entries.subject, { command: commands.entries })
  entries(@Payload() request: CommandRequest<typeof commands.entries>) {
    return readEntries(this.pool, request);
  }

  @MessagePattern(commands.disclosed.subject, { command: commands.disclosed })
  disclosed(@Payload() request: CommandRequest<typeof commands.disclosed>) {
    return readDisclosed(this.pool, request);
  }

  @MessagePattern(commands.checkpoint.subject, { command: commands.checkpoint })
  async checkpoint(@Payload() { org_id }: CommandRequest<typeof commands.checkpoint>) {
    await this.writer.sign(org_id);
    const [newest] = await this.checkpoints.newest(org_id, 1);
    if (newest === undefined) throw new Refused('NOT_FOUND', 'the workspace has no signed audit log yet');
    return newest;
  }

  @MessagePattern(commands.verifier_key.subject, { command: commands.verifier_key })
  async verifierKey(@Payload() { org_id }: CommandRequest<typeof commands.verifier_key>) {
    const end = await this.checkpoints.end(org_id);
    if (end === null) throw new Refused('NOT_FOUND', 'the workspace has no audit log');
    const [newest] = await this.checkpoints.newest(org_id, 1);
    const { checkpoints } = this.keys;
    // That of the newest checkpoint, which another key may have signed.
    const signer = newest === undefined ? null : checkpoints.signerOf(end.origin, newest.note);
    return { key: signer ?? checkpoints.verifierKey(end.origin) };
  }

  @MessagePattern(commands.verify.subject, { command: commands.verify })
  verify(@Payload() { org_id, wait }: CommandRequest<typeof commands.verify>) {
    return this.checks.verify(org_id, wait);
  }

  @MessagePattern(commands.requested_action.subject, { command: commands.requested_action })
  requestedAction(@Payload() request: CommandRequest<typeof commands.requested_action>) {
    return requestedAction(this.pool, request);
  }

  @MessagePattern(commands.issue_grant.subject, { command: commands.issue_grant })
  issueGrant(@Payload() request: CommandRequest<typeof commands.issue_grant>) {
    return issueGrant(this.pool, { grants: this.grants, issuer: this.config.issuer }, request);
  }

  @MessagePattern(commands.posture.subject, { command: commands.posture })
  async posture(@Payload() request: CommandRequest<typeof commands.posture>) {
    const [facts, last] = await Promise.all([
      postureFacts(this.pool, request),
      this.checks.last(request.org_id),
    ]);
    const integrity = last && {
      valid: last.chain_valid,
      complete: last.complete,
      size: last.size,
      checked: last.verified_through_row,
      at: last.timestamp,
    };
    return postureOf({ ...facts, integrity });
  }

  @MessagePattern(commands.recorded_policies.subject, { command: commands.recorded_policies })
  recordedPolicies(@Payload() request: CommandRequest<typeof commands.recorded_policies>) {
    return recordedPolicies(this.pool, request);
  }

  @MessagePattern(commands.jwks.subject, { command: commands.jwks, withoutDatabase: true })
  jwks() {
    return { keys: [...this.grants.jwks] };
  }

  @MessagePattern(commands.replay.subject, { command: commands.replay })
  replay(@Payload() request: CommandRequest<typeof commands.replay>) {
    return replayOwn(this.pool, request);
  }
}
