/** What the gateway's module provides beside the tokens of every service. */
export const GATEWAY_CONFIG = Symbol('GATEWAY_CONFIG');
export const DIRECTORY = Symbol('DIRECTORY');
export const PIPELINE = Symbol('PIPELINE');
export const STORE = Symbol('STORE');
export const INVITATIONS = Symbol('INVITATIONS');
export const WORKSPACES = Symbol('WORKSPACES');
export const REFUSED_ACCESS = Symbol('REFUSED_ACCESS');
export const PRINCIPALS = Symbol('PRINCIPALS');
export const SUBMIT_ACTION = Symbol('SUBMIT_ACTION');
export const WAKES = Symbol('WAKES');
export const AWAIT_DECISION = Symbol('AWAIT_DECISION');
export const DECIDE_APPROVAL = Symbol('DECIDE_APPROVAL');
export const ADMISSION = Symbol('ADMISSION');
export const ANSWER_RELEASE = Symbol('ANSWER_RELEASE');
export const PROBLEMS = Symbol('PROBLEMS');
export const PLAIN_ROUTES = Symbol('PLAIN_ROUTES');
export const LIVE_EVENTS = Symbol('live events');
