"""What an agent reads about itself: identity, policies, audit trail, delegations, posture, live events."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional


@dataclass
class PolicySummary:
    """A policy without its conditions."""

    id: str
    name: str
    action_type: str
    approval_required: bool
    has_conditions: bool
    version: int
    created_at: str

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> PolicySummary:
        return cls(
            id=d["id"],
            name=d["name"],
            action_type=d["action_type"],
            approval_required=d["approval_required"],
            has_conditions=d["has_conditions"],
            version=d["version"],
            created_at=d["created_at"],
        )


@dataclass
class DelegationEntry:
    """A delegation from one agent (parent) to another (child)."""

    id: str
    scope: Dict[str, Any]
    expires_at: str
    active: bool
    parent_config_id: Optional[str] = None
    child_config_id: Optional[str] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> DelegationEntry:
        return cls(
            id=d["id"],
            scope=d.get("scope") or {},
            expires_at=d["expires_at"],
            active=d["active"],
            parent_config_id=d.get("parent_config_id"),
            child_config_id=d.get("child_config_id"),
        )


@dataclass
class DelegationsResult:
    """A list of delegations."""

    delegations: List[DelegationEntry]

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> DelegationsResult:
        return cls(delegations=[DelegationEntry.from_dict(e) for e in d["delegations"]])


@dataclass
class RevokeResult:
    """A delegation that was revoked."""

    revoked: bool
    delegation_id: str

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> RevokeResult:
        return cls(revoked=d["revoked"], delegation_id=d["delegation_id"])


@dataclass
class WhoamiResult:
    """The agent as the server knows it. cb_state: `closed`, or `open` when the agent is suspended."""

    config_id: str
    name: str
    org_id: str
    is_active: bool
    cb_state: str
    calibration: Dict[str, Any]
    policies: List[PolicySummary]
    delegations: Dict[str, List[DelegationEntry]]

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> WhoamiResult:
        delegations = d.get("delegations") or {}
        return cls(
            config_id=d["config_id"],
            name=d["name"],
            org_id=d["org_id"],
            is_active=d["is_active"],
            cb_state=d["cb_state"],
            calibration=d.get("calibration") or {},
            policies=[PolicySummary.from_dict(p) for p in d.get("policies") or []],
            delegations={
                side: [DelegationEntry.from_dict(e) for e in delegations.get(side) or []]
                for side in ("as_parent", "as_child")
            },
        )


@dataclass
class PoliciesResult:
    """A list of policies. scope: `own` or `org`."""

    scope: str
    policies: List[PolicySummary]

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> PoliciesResult:
        return cls(scope=d["scope"], policies=[PolicySummary.from_dict(p) for p in d["policies"]])


@dataclass
class AuditEvent:
    """An entry of the audit trail."""

    id: str
    action_type: str
    status: str
    timestamp: str
    created_at: str
    data_accessed: List[Any] = field(default_factory=list)
    repo: Optional[str] = None
    branch: Optional[str] = None
    pr_number: Optional[int] = None
    policy_id: Optional[str] = None
    policy_version: Optional[str] = None
    type: Optional[str] = None
    approval_id: Optional[str] = None
    metadata: Optional[Dict[str, Any]] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> AuditEvent:
        return cls(
            id=d["id"],
            action_type=d["action_type"],
            status=d["status"],
            timestamp=d["timestamp"],
            created_at=d["created_at"],
            data_accessed=d.get("data_accessed") or [],
            repo=d.get("repo"),
            branch=d.get("branch"),
            pr_number=d.get("pr_number"),
            policy_id=d.get("policy_id"),
            policy_version=d.get("policy_version"),
            type=d.get("type"),
            approval_id=d.get("approval_id"),
            metadata=d.get("metadata"),
        )


@dataclass
class AuditResult:
    """A page of the audit trail. next_cursor: None on the last page."""

    events: List[AuditEvent]
    next_cursor: Optional[str]

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> AuditResult:
        return cls(events=[AuditEvent.from_dict(e) for e in d["events"]], next_cursor=d.get("next_cursor"))


@dataclass
class VerifyResult:
    """Whether the audit log is intact, and up to which row that was checked."""

    org_id: str
    chain_valid: bool
    verified_through_row: int
    chain_hash: Optional[str]
    verified_from_checkpoint: bool
    timestamp: str
    first_broken_at_row_id: Optional[str] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> VerifyResult:
        return cls(
            org_id=d["org_id"],
            chain_valid=d["chain_valid"],
            verified_through_row=d["verified_through_row"],
            chain_hash=d.get("chain_hash"),
            verified_from_checkpoint=d["verified_from_checkpoint"],
            timestamp=d["timestamp"],
            first_broken_at_row_id=d.get("first_broken_at_row_id"),
        )


@dataclass
class PostureComponent:
    """One part of the posture score; extra: what else the server says about it."""

    score: float
    max: float
    extra: Dict[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> PostureComponent:
        extra = {name: value for name, value in d.items() if name not in ("score", "max")}
        return cls(score=d["score"], max=d["max"], extra=extra)


@dataclass
class PostureResult:
    """How well the workspace is governed, from 0 to 100."""

    score: float
    components: Dict[str, PostureComponent]

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> PostureResult:
        parts = d.get("components") or {}
        return cls(
            score=d["score"],
            components={name: PostureComponent.from_dict(part) for name, part in parts.items()},
        )


@dataclass
class GovernanceEvent:
    """A live event of `subscribe`."""

    event_type: str
    timestamp: str
    org_id: str
    data: Dict[str, Any]
    agent_id: Optional[str] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> GovernanceEvent:
        return cls(
            event_type=d["event_type"],
            timestamp=d["timestamp"],
            org_id=d["org_id"],
            data=d.get("data") or {},
            agent_id=d.get("agent_id"),
        )
