/** Tokens of this service, in addition to those of libs/service. */
export const EVENT_STORE = Symbol('EVENT_STORE');
export const GRANT_SETTINGS = Symbol('GRANT_SETTINGS');
export const PROJECTIONS = Symbol('PROJECTIONS');
export const LEDGER_INTAKE = Symbol('LEDGER_INTAKE');

export const RECOUNT_VOTES = Symbol('RECOUNT_VOTES');
export const MEMBERS_PROJECTION = Symbol('MEMBERS_PROJECTION');
export const MEMBERS = Symbol('MEMBERS');
export const END_UNDECIDABLE = Symbol('END_UNDECIDABLE');
export const MEMBERS_BACKGROUND = Symbol('MEMBERS_BACKGROUND');

export const TIME_OUT_APPROVALS = Symbol('TIME_OUT_APPROVALS');
export const DEADLINE_SWEEP = Symbol('DEADLINE_SWEEP');
export const ESCALATION_SWEEP = Symbol('ESCALATION_SWEEP');
export const DEADLINE_ALARMS = Symbol('DEADLINE_ALARMS');
export const TIMERS_BACKGROUND = Symbol('TIMERS_BACKGROUND');

export const GRANTS = Symbol('GRANTS');
export const APPROVAL_READER = Symbol('APPROVAL_READER');
export const OPEN_STATES = Symbol('OPEN_STATES');
export const REQUEST_VIEWS = Symbol('REQUEST_VIEWS');
export const FOREVER_REACH = Symbol('FOREVER_REACH');
export const OVERVIEW = Symbol('OVERVIEW');
export const DENIAL_REASONS = Symbol('DENIAL_REASONS');
export const OPEN_APPROVALS = Symbol('OPEN_APPROVALS');
export const DECIDE_APPROVALS = Symbol('DECIDE_APPROVALS');
export const CONSUME_GRANT = Symbol('CONSUME_GRANT');
export const OPENING_BACKGROUND = Symbol('OPENING_BACKGROUND');
export const SUSPENSIONS_BACKGROUND = Symbol('SUSPENSIONS_BACKGROUND');

export const POLICY_CHANGES_BACKGROUND = Symbol('POLICY_CHANGES_BACKGROUND');
