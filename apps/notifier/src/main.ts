import 'reflect-metadata';
import { runService } from '@agentlattice/service';
import { NotifierModule } from './notifier.module.js';

await runService({ service: 'notifier', module: NotifierModule });
