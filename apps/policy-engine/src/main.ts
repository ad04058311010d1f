import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { PolicyEngineModule } from './policy-engine.module.js';

await runService({ service: 'policy-engine', module: PolicyEngineModule });
