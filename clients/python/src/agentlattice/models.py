"""What the methods return. Every class reads the JSON of one answer by `from_dict`; unknown members are ignored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, TypeVar

from agentlattice.errors import AgentLatticeError

T = TypeVar("T")


def read(parse: Callable[[Dict[str, Any]], T], answer: Any) -> T:
    """Reads an answer. Raises AgentLatticeError (UNEXPECTED_ANSWER) when it does not have the form of the contract."""
    try:
        if not isinstance(answer, dict):
            raise TypeError("not an object")
        return parse(answer)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise AgentLatticeError(
            "UNEXPECTED_ANSWER", f"The answer does not have the expected form ({error!r})", answer
        ) from error


@dataclass
class ConditionResult:
    """One condition of a policy as it was evaluated."""

    field: str
    operator: str
    expected: Any
    result: bool

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> ConditionResult:
        return cls(field=d["field"], operator=d["operator"], expected=d["expected"], result=d["result"])


def _conditions(d: Dict[str, Any]) -> List[ConditionResult]:
    return [ConditionResult.from_dict(c) for c in d.get("conditions_evaluated") or []]


#: Each status of a submission with the verdict that belongs to it.
_VERDICTS = {
    "executed": "executed",
    "requested": "pending_approval",
    "denied": "denied",
    "policy_not_found": "denied",
    "timed_out": "denied",
}


@dataclass
class ActionResult:
    """The answer to a submission.

    status: `executed` (allowed), `requested` (a person must decide), `denied` or `policy_not_found`.
    verdict: `executed`, `pending_approval` or `denied`: the same with fewer values.
    timeout_at: until when somebody must decide (RFC 3339).
    denial_reason: `POLICY_DENIED`, `CONDITIONS_DENIED`, `POLICY_NOT_FOUND`, ...
    event_id: the idempotency key that the action was submitted with.
    grant: the signed grant (a compact JWS), where the answer carries one.
    reason, resolved_by, resolved_by_name: what the person who decided it wrote and who it was, where one did while the
        answer was held.
    """

    status: str
    audit_event_id: str
    approval_id: Optional[str] = None
    message: Optional[str] = None
    timeout_at: Optional[str] = None
    denial_reason: Optional[str] = None
    policy_name: Optional[str] = None
    conditions_evaluated: List[ConditionResult] = field(default_factory=list)
    verdict: str = ""
    event_id: Optional[str] = None
    grant: Optional[str] = None
    reason: Optional[str] = None
    eligible_approvers: Optional[int] = None
    resolved_by: Optional[str] = None
    resolved_by_name: Optional[str] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> ActionResult:
        verdict = _VERDICTS[d["status"]]
        if d.get("verdict", verdict) != verdict:
            raise ValueError(f"status {d['status']} with verdict {d['verdict']}")
        asked = d["status"] == "requested"
        if not isinstance(d["audit_event_id"], str) or (asked and not isinstance(d["approval_id"], str)):
            raise TypeError("an id is not a text")
        return cls(
            status=d["status"],
            audit_event_id=d["audit_event_id"],
            approval_id=d.get("approval_id"),
            message=d.get("message"),
            timeout_at=d.get("timeout_at"),
            denial_reason=d.get("denial_reason"),
            policy_name=d.get("policy_name"),
            conditions_evaluated=_conditions(d),
            verdict=verdict,
            grant=d.get("grant"),
            reason=d.get("reason"),
            eligible_approvers=d.get("eligible_approvers"),
            resolved_by=d.get("resolved_by"),
            resolved_by_name=d.get("resolved_by_name"),
        )


@dataclass
class ActionOptions:
    """What goes with an action.

    data_accessed: a list of JSON objects.
    metadata: a JSON object; people decide on what it says, and conditions test it.
    event_id: the idempotency key, 1 to 255 printable ASCII characters; a random one by default.
    """

    data_accessed: Optional[List[Dict[str, Any]]] = None
    metadata: Optional[Dict[str, Any]] = None
    event_id: Optional[str] = None


@dataclass
class GateResult:
    """A gate that let the action pass.

    status: `executed` when a policy allowed it or it was approved while the submission was held, else `approved`.
    grant: the verified grant; hand it to the program that executes the action.
    event_id: the idempotency key of the action.
    reason, resolved_by, resolved_by_name, resolved_at: what the person who approved wrote, who it was, and when, where
        that is known (None: the system).
    """

    status: str
    audit_event_id: str
    event_id: str
    grant: str
    approval_id: Optional[str] = None
    policy_name: Optional[str] = None
    conditions_evaluated: List[ConditionResult] = field(default_factory=list)
    reason: Optional[str] = None
    resolved_by: Optional[str] = None
    resolved_at: Optional[str] = None
    resolved_by_name: Optional[str] = None


_APPROVAL_STATUSES = ("pending", "escalated", "approved", "denied", "timed_out")


@dataclass
class ApprovalStatus:
    """How a request stands: `pending`, `escalated`, `approved`, `denied` or `timed_out`."""

    status: str
    approval_id: str
    reason: Optional[str] = None
    denial_reason: Optional[str] = None
    resolved_by: Optional[str] = None
    resolved_at: Optional[str] = None
    timeout_at: Optional[str] = None
    grant: Optional[str] = None
    resolved_by_name: Optional[str] = None

    @property
    def open(self) -> bool:
        """Whether nobody has decided yet."""
        return self.status in ("pending", "escalated")

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> ApprovalStatus:
        if d["status"] not in _APPROVAL_STATUSES:
            raise ValueError(f"status {d['status']}")
        return cls(
            status=d["status"],
            approval_id=d["approval_id"],
            reason=d.get("reason"),
            denial_reason=d.get("denial_reason"),
            resolved_by=d.get("resolved_by"),
            resolved_at=d.get("resolved_at"),
            timeout_at=d.get("timeout_at"),
            grant=d.get("grant"),
            resolved_by_name=d.get("resolved_by_name"),
        )


@dataclass
class ConsumedGrant:
    """A grant that was just used up. consumed_at: RFC 3339."""

    approval_id: str
    audit_event_id: str
    agent_id: str
    action_type: str
    action_digest: str
    consumed_at: str

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> ConsumedGrant:
        if d["status"] != "consumed":
            raise ValueError(f"status {d['status']}")
        names = ("approval_id", "audit_event_id", "agent_id", "action_type", "action_digest", "consumed_at")
        return cls(**{name: d[name] for name in names})


@dataclass
class PendingApproval:
    """A request that waits for a person.

    id, approval_id: the same. agent: `{"id", "name"}` of the agent that asks.
    timeout_at: until when somebody must decide (RFC 3339); time_left_seconds by the server's clock.
    approvals, denials: `{"have", "need"}` votes.
    """

    id: str
    approval_id: str
    status: str
    action_type: str
    agent: Dict[str, Any]
    created_at: str
    timeout_at: str
    time_left_seconds: float
    policy_name: Optional[str] = None
    metadata: Dict[str, Any] = field(default_factory=dict)
    data_accessed: List[Any] = field(default_factory=list)
    conditions_evaluated: List[ConditionResult] = field(default_factory=list)
    audit_event_id: Optional[str] = None
    action_digest: Optional[str] = None
    escalation_level: int = 0
    approvals: Optional[Dict[str, int]] = None
    denials: Optional[Dict[str, int]] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> PendingApproval:
        return cls(
            id=d["approval_id"],
            approval_id=d["approval_id"],
            status=d["status"],
            action_type=d["action_type"],
            agent=d["agent"],
            created_at=d["created_at"],
            timeout_at=d["timeout_at"],
            time_left_seconds=d["time_left_seconds"],
            policy_name=d.get("policy_name"),
            metadata=d.get("metadata") or {},
            data_accessed=d.get("data_accessed") or [],
            conditions_evaluated=_conditions(d),
            audit_event_id=d.get("audit_event_id"),
            action_digest=d.get("action_digest"),
            escalation_level=d.get("escalation_level", 0),
            approvals=d.get("approvals"),
            denials=d.get("denials"),
        )


@dataclass
class DecisionResult:
    """What became of a vote.

    status: `approved` or `denied`, or `pending` while more people must vote.
    approvals, denials: `{"have", "need"}` votes; seats_open: `[{"group", "count"}]` that nobody fills yet.
    scope: `once` or `forever`; policy_change: after an approval for ever, what became of the policy.
    """

    status: str
    approval_id: str
    reason: Optional[str] = None
    resolved_by: Optional[str] = None
    resolved_at: Optional[str] = None
    approvals: Optional[Dict[str, int]] = None
    denials: Optional[Dict[str, int]] = None
    seats_open: List[Any] = field(default_factory=list)
    policy_change: Any = None
    denial_reason: Optional[str] = None
    scope: Optional[str] = None

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> DecisionResult:
        return cls(
            status=d["status"],
            approval_id=d["approval_id"],
            reason=d.get("reason"),
            resolved_by=d.get("resolved_by"),
            resolved_at=d.get("resolved_at"),
            approvals=d.get("approvals"),
            denials=d.get("denials"),
            seats_open=d.get("seats_open") or [],
            policy_change=d.get("policy_change"),
            denial_reason=d.get("denial_reason"),
            scope=d.get("scope"),
        )


@dataclass
class CanIResult:
    """What a submission would be answered now.

    allowed: it would be executed. needs_approval: a person would be asked. Neither: it would be denied.
    """

    allowed: bool
    needs_approval: bool
    action_type: str
    policy_name: Optional[str] = None
    reason: Optional[str] = None
    conditions_evaluated: List[ConditionResult] = field(default_factory=list)

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> CanIResult:
        return cls(
            allowed=d["allowed"] is True,
            needs_approval=d["needs_approval"] is True,
            action_type=d["action_type"],
            policy_name=d.get("policy_name"),
            reason=d.get("reason"),
            conditions_evaluated=_conditions(d),
        )


@dataclass
class ReportOutcome:
    """How an action went. status: `success`, `failure` or `partial`; message: at most 4000 characters."""

    status: str
    message: Optional[str] = None
    metadata: Optional[Dict[str, Any]] = None


@dataclass
class ReportResult:
    """The report as it was recorded."""

    audit_event_id: str
    status: str
    reported_at: str

    @classmethod
    def from_dict(cls, d: Dict[str, Any]) -> ReportResult:
        return cls(audit_event_id=d["audit_event_id"], status=d["status"], reported_at=d["reported_at"])
