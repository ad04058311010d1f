import { join } from 'node:path';
import { grantSigner, POOL, ServiceModule } from '@agentlattice/service';
import { Module } from '@nestjs/common';
import type pg from 'pg';
import { LogChecks } from './application/log-checks.js';
import { type LedgerConfig, readLedgerConfig } from './config.js';
import { LedgerQueriesController } from './inbound/ledger-queries.controller.js';
import { LedgerWriter } from './inbound/ledger-writer.js';
import { type CheckpointArchive, fileArchive } from './outbound/checkpoint-archive.js';
import { CheckpointStore } from './outbound/checkpoint-store.js';
import { ledgerKeys, type LedgerKeys } from './outbound/ledger-keys.js';
import { ARCHIVE, CHECKPOINTS, CHECKS, GRANTS, KEYS, LEDGER_CONFIG } from './tokens.js';

@Module({
  imports: [ServiceModule.forRoot('audit-ledger')],
  controllers: [LedgerQueriesController],
  providers: [
    LedgerWriter,
    { provide: LEDGER_CONFIG, useFactory: () => readLedgerConfig(process.env) },
    {
      provide: KEYS,
      inject: [LEDGER_CONFIG],
      useFactory: (config: LedgerConfig) => ledgerKeys(config.keys),
    },
    { provide: GRANTS, inject: [KEYS], useFactory: ({ grants }: LedgerKeys) => grantSigner(grants) },
    {
      provide: ARCHIVE,
      inject: [LEDGER_CONFIG],
      useFactory: ({ dataDir }: LedgerConfig) => fileArchive(join(dataDir, 'checkpoints')),
    },
    { provide: CHECKPOINTS, inject: [POOL], useFactory: (pool: pg.Pool) => new CheckpointStore(pool) },
    {
      provide: CHECKS,
      inject: [POOL, CHECKPOINTS, ARCHIVE, KEYS],
      useFactory: (
        pool: pg.Pool,
        checkpoints: CheckpointStore,
        archive: CheckpointArchive,
        keys: LedgerKeys,
      ) => new LogChecks({ pool, checkpoints, archive, keys: keys.checkpoints, now: () => Date.now() }),
    },
  ],
})
export class AuditLedgerModule {}
