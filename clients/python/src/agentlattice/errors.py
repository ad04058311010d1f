"""The exceptions of this package. Each has a stable `code`; programs should compare codes, not messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple, Type

if TYPE_CHECKING:
    from agentlattice.models import ConditionResult


class AgentLatticeError(Exception):
    """Base class.

    code: the server's error code (`FORBIDDEN`, `IDEMPOTENCY_KEY_REUSED`, ...), or one of the client:
        `MISSING_API_KEY`, `INVALID_ARGUMENT`, `INVALID_JSON_VALUE`, `NETWORK_ERROR`, `UNEXPECTED_ANSWER`,
        `API_ERROR` (an HTTP error without a code), `POLICY_NOT_FOUND`, `GRANT_INVALID`, `ACTION_DENIED`,
        `APPROVAL_TIMEOUT`, `INVALID_CAPABILITIES`, `INVALID_TTL`, `MISSING_DEPENDENCY`, `SUBSCRIBE_REFUSED`.
    details: what the server said (the problem document as a dict), or what the client knows.
    status: the HTTP status, where there was an answer.
    request_id: the server's id of the request, for its logs.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: Any = None,
        *,
        status: Optional[int] = None,
        request_id: Optional[str] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.details = details
        self.status = status
        self.request_id = request_id

    def __reduce__(self) -> Tuple[Any, ...]:
        # The default calls the class with the message alone, which does not fit these constructors.
        return _restore, (type(self), self.args, self.__dict__)


class AgentLatticeDeniedError(AgentLatticeError):
    """The action was denied. Code `ACTION_DENIED`.

    approval_id: the request that was denied; None when no person was asked.
    reason: `POLICY_DENIED`, `CONDITIONS_DENIED`, `DENIED_BY_REVIEWER`, `AGENT_SUSPENDED`, `CANCELLED`, ...
    policy: the name of the policy that governs.
    conditions: the conditions as they were evaluated; `[c for c in conditions if not c.result]` failed.
    comment: what the person who denied it wrote.
    """

    def __init__(
        self,
        approval_id: Optional[str],
        reason: Optional[str] = None,
        policy: Optional[str] = None,
        conditions: Optional[List[ConditionResult]] = None,
        comment: Optional[str] = None,
    ) -> None:
        facts = [f"approval_id: {approval_id}"] if approval_id else []
        facts += [text for text in (reason, comment) if text]
        suffix = f" ({', '.join(facts)})" if facts else ""
        super().__init__("ACTION_DENIED", f"Action was denied{suffix}")
        self.approval_id = approval_id
        self.reason = reason
        self.policy = policy
        self.conditions = conditions or []
        self.comment = comment


class AgentLatticeTimeoutError(AgentLatticeError):
    """Nobody decided before the deadline, or before the program's own time limit. Code `APPROVAL_TIMEOUT`.

    approval_id: the request; None when the time was up before the server had answered the submission.
    details: `{"withdrawn": bool}` after the program's own limit; False means that the request may still wait.
    """

    def __init__(
        self,
        approval_id: Optional[str],
        message: Optional[str] = None,
        details: Optional[Dict[str, Any]] = None,
    ) -> None:
        super().__init__("APPROVAL_TIMEOUT", message or f"Approval timed out (approval_id: {approval_id})", details)
        self.approval_id = approval_id


class AgentLatticeConnectionError(AgentLatticeError):
    """The system could not be reached, or the connection broke before the answer. Code `NETWORK_ERROR`.

    details: the exception of the HTTP client.
    approval_id, event_id: set by `gate`; a gate with the same event id goes on with the same request.
    """

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__("NETWORK_ERROR", message, details)
        self.approval_id: Optional[str] = None
        self.event_id: Optional[str] = None


ApprovalDeniedError = AgentLatticeDeniedError
ApprovalTimeoutError = AgentLatticeTimeoutError


def _restore(cls: Type[AgentLatticeError], args: Tuple[Any, ...], members: Dict[str, Any]) -> AgentLatticeError:
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(members)
    return error
