import { ping, replay } from './every-service.js';

export const gatewayCommands = { replay: replay('gateway'), ping: ping('gateway') };
