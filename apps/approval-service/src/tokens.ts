/** What the module provides beside the tokens of libs/service. */
export const EVENT_STORE = Symbol('EVENT_STORE');
export const OPEN_APPROVALS = Symbol('OPEN_APPROVALS');
export const TIME_OUT_APPROVALS = Symbol('TIME_OUT_APPROVALS');
export const ESCALATION_SWEEP = Symbol('ESCALATION_SWEEP');
export const DEADLINE_SWEEP = Symbol('DEADLINE_SWEEP');
export const DEADLINE_ALARMS = Symbol('DEADLINE_ALARMS');
export const APPROVAL_READER = Symbol('APPROVAL_READER');
export const BACKGROUND = Symbol('BACKGROUND');
export const CONSUME_GRANT = Symbol('CONSUME_GRANT');
export const SUSPENSIONS = Symbol('SUSPENSIONS');
export const DECIDE_APPROVALS = Symbol('DECIDE_APPROVALS');
export const MEMBERS_PROJECTION = Symbol('MEMBERS_PROJECTION');
export const GRANTS = Symbol('GRANTS');
export const GRANT_SETTINGS = Symbol('GRANT_SETTINGS');
export const REJUDGING = Symbol('REJUDGING');
export const MEMBERS = Symbol('MEMBERS');
export const END_UNDECIDABLE = Symbol('END_UNDECIDABLE');
