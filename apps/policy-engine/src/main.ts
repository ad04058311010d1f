import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { PolicyEngineModule } from './policy-engine.module.js';
import { migrations } from './migrations/index.js';

await runService({ service: 'policy-engine', module: PolicyEngineModule, migrations });
