"""AgentLattice Approvals: agents ask before they act.

    from agentlattice import AgentLattice

    al = AgentLattice()  # AL_API_KEY, AL_BASE_URL
    al.gate_sync("deploy.production", metadata={"service": "checkout"})  # returns when it may be done

In coroutines: `await al.gate(...)`.
"""

from agentlattice._version import __version__
from agentlattice.action import Action, action_digest
from agentlattice.client import (
    ActionOptions,
    ActionResult,
    AgentLattice,
    AgentLatticeConnectionError,
    AgentLatticeDeniedError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
    ApprovalStatus,
    AuditEvent,
    AuditResult,
    CanIResult,
    ConditionResult,
    ConsumedGrant,
    DecisionResult,
    DelegatedAgent,
    DelegationContext,
    DelegationEntry,
    DelegationsResult,
    GateResult,
    GovernanceEvent,
    GrantClaims,
    ParallelDelegation,
    PendingApproval,
    PoliciesResult,
    PolicySummary,
    PostureComponent,
    PostureResult,
    ReportOutcome,
    ReportResult,
    RevokeResult,
    SyncDelegationContext,
    SyncParallelDelegation,
    VerifyResult,
    WhoamiResult,
)
from agentlattice.errors import ApprovalDeniedError, ApprovalTimeoutError
from agentlattice.grants import verify_grant

__all__ = [
    "Action", "ActionOptions", "ActionResult", "AgentLattice", "AgentLatticeConnectionError", "AgentLatticeDeniedError",
    "AgentLatticeError", "AgentLatticeTimeoutError", "ApprovalDeniedError", "ApprovalStatus", "ApprovalTimeoutError",
    "AuditEvent", "AuditResult", "CanIResult", "ConditionResult", "ConsumedGrant", "DecisionResult", "DelegatedAgent",
    "DelegationContext", "DelegationEntry", "DelegationsResult", "GateResult", "GovernanceEvent", "GrantClaims",
    "ParallelDelegation", "PendingApproval", "PoliciesResult", "PolicySummary", "PostureComponent", "PostureResult",
    "ReportOutcome", "ReportResult", "RevokeResult", "SyncDelegationContext", "SyncParallelDelegation", "VerifyResult",
    "WhoamiResult", "__version__", "action_digest", "verify_grant",
]  # fmt: skip
