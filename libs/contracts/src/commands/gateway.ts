import { z } from 'zod';
import { typeId } from '../primitives.js';
import { query } from './command.js';
import { erasableValues, ping, replay } from './every-service.js';

export const gatewayCommands = {
  /**
   * Whether an agent is suspended, or one that it acts for, read from the database at that moment. `suspended_by`: the event
   * that suspended the agent itself. @throws NOT_FOUND
   */
  agent_standing: query(
    'gateway',
    'agent_standing',
    z.object({ org_id: typeId('org'), agent_id: typeId('agt') }),
    z.object({ suspended: z.boolean(), suspended_by: z.string().nullable() }),
    ['approval-service'],
  ),
  erasable_values: erasableValues('gateway'),
  replay: replay('gateway'),
  ping: ping('gateway'),
};
