export { assertNever } from './assert-never.js';
export type { Decider, Evolution } from './decider.js';
export { deciderSpec, type Expectation, type Given } from './decider-spec.js';
export { fold } from './fold.js';
export { type Fault, type RefusalDetails, Refused } from './refused.js';
