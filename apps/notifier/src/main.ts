import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { NotifierModule } from './notifier.module.js';
import { migrations } from './migrations/index.js';

await runService({ service: 'notifier', module: NotifierModule, migrations });
