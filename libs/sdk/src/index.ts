export {
  AgentLattice,
  type AgentLatticeOptions,
  type Delegation,
  type RegisteredAgent,
  type RegisterOptions,
} from './agent-lattice.js';
export type { DelegateOptions } from './delegation.js';
export {
  AgentLatticeDeniedError,
  AgentLatticeError,
  AgentLatticeTimeoutError,
  ApprovalDeniedError,
  ApprovalTimeoutError,
  ConnectionError,
} from './errors.js';
export { actionDigest, type GrantClaims, type GrantedAction, type GrantKey, verifyGrant } from './grant.js';
export type { LiveEvent, SubscribeOptions } from './live-events.js';
export type { Answer, Call } from './transport.js';
export type {
  ActionOptions,
  ActionResult,
  Approval,
  ApprovalPage,
  ApprovalQuery,
  ApprovalStatus,
  AuditEvent,
  AuditPage,
  AuditQuery,
  ConditionResult,
  ConsumedGrant,
  DelegationEntry,
  GateOptions,
  GateResult,
  JsonObject,
  Outcome,
  Policies,
  PolicyCheck,
  PolicySummary,
  Posture,
  Report,
  Requested,
  Verification,
  VotePending,
  Whoami,
} from './types.js';
