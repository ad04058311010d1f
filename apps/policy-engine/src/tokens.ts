/** The providers of the policy-engine, in addition to those of libs/service. */
export const LIVE_POLICIES = Symbol('LIVE_POLICIES');
export const POLICY_READER = Symbol('POLICY_READER');
export const CHANGE_POLICY = Symbol('CHANGE_POLICY');
export const CHECK_CHANNELS = Symbol('CHECK_CHANNELS');
export const CHECK_ACTION = Symbol('CHECK_ACTION');
export const JUDGE_SUBMISSIONS = Symbol('JUDGE_SUBMISSIONS');
export const POLICIES_BACKGROUND = Symbol('POLICIES_BACKGROUND');
export const REJUDGE_REQUESTS = Symbol('REJUDGE_REQUESTS');
export const FOREVER_REQUESTS = Symbol('FOREVER_REQUESTS');
export const IS_ADMINISTRATOR = Symbol('IS_ADMINISTRATOR');
export const APPLY_FOREVER = Symbol('APPLY_FOREVER');
export const MEMBER_EVENTS = Symbol('MEMBER_EVENTS');
export const ALLOW_FOREVER = Symbol('ALLOW_FOREVER');
export const FOREVER_BACKGROUND = Symbol('FOREVER_BACKGROUND');
export const WARN_OF_UNFILLABLE_QUORUM = Symbol('WARN_OF_UNFILLABLE_QUORUM');
export const TAMPERING_FINDINGS = Symbol('TAMPERING_FINDINGS');
export const TAMPERING_BACKGROUND = Symbol('TAMPERING_BACKGROUND');
