/** What the module provides beside the tokens of libs/service. */
export const LIVE_POLICIES = Symbol('LIVE_POLICIES');
export const POLICY_READER = Symbol('POLICY_READER');
export const CHANGE_POLICY = Symbol('CHANGE_POLICY');
export const CHECK_CHANNELS = Symbol('CHECK_CHANNELS');
export const CHECK_ACTION = Symbol('CHECK_ACTION');
export const JUDGE_SUBMISSIONS = Symbol('JUDGE_SUBMISSIONS');
export const RELAY = Symbol('RELAY');
export const REJUDGE_REQUESTS = Symbol('REJUDGE_REQUESTS');
export const FOREVER_EVENTS = Symbol('FOREVER_EVENTS');
export const MEMBER_EVENTS = Symbol('MEMBER_EVENTS');
export const ALLOW_FOREVER = Symbol('ALLOW_FOREVER');
export const FOREVER_WORK = Symbol('FOREVER_WORK');
export const WARN_OF_UNFILLABLE_QUORUM = Symbol('WARN_OF_UNFILLABLE_QUORUM');
export const NOTE_TAMPERING = Symbol('NOTE_TAMPERING');
export const TAMPERING_WORK = Symbol('TAMPERING_WORK');
