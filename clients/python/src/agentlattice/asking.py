"""The methods by which an agent asks: shared by AgentLattice and DelegatedAgent."""

from __future__ import annotations

import uuid
from datetime import datetime, timezone
from typing import Any, Callable, Dict, List, Optional, TypeVar

from agentlattice.action import Action
from agentlattice.decorators import DataAccessedOf, EventIdOf, Gated, MetadataOf
from agentlattice.errors import AgentLatticeError
from agentlattice.gate import HOLD_S, Gate, Submission, cancel, status_of, submit
from agentlattice.grants import KeySet
from agentlattice.models import (
    ActionOptions,
    ActionResult,
    ApprovalStatus,
    CanIResult,
    ConsumedGrant,
    GateResult,
    read,
)
from agentlattice.sync import sync_twin
from agentlattice.transport import Request, Transport

F = TypeVar("F", bound=Callable[..., Any])
Json = Dict[str, Any]

DEFAULT_GATE_LIMIT_MS = 8 * 60 * 60 * 1000


class Asking:
    """Submitting actions with one key. gate_limit_ms: the program's own limit for a `gate`."""

    def __init__(self, transport: Transport, gate_limit_ms: float, keys: Optional[KeySet] = None) -> None:
        self._transport = transport
        self._gate_limit_ms = _positive(gate_limit_ms, "gate_poll_timeout_ms")
        self._keys = keys or KeySet(self.grant_keys)

    async def execute(
        self,
        action_type: str,
        options: Optional[ActionOptions] = None,
        *,
        metadata: Optional[Json] = None,
        data_accessed: Optional[List[Json]] = None,
        event_id: Optional[str] = None,
    ) -> ActionResult:
        """Submits an action and returns the verdict at once; does not wait for a person.

        action_type: dot notation, at most 255 characters. metadata, data_accessed, event_id: as in ActionOptions;
        what is given by name stands above `options`. The same event id with the same content is the same action.
        """
        submission = _submission(action_type, options, metadata, data_accessed, event_id)
        return await submit(self._transport, submission, submission.request(None))

    async def gate(
        self,
        action_type: str,
        options: Optional[ActionOptions] = None,
        *,
        metadata: Optional[Json] = None,
        data_accessed: Optional[List[Json]] = None,
        event_id: Optional[str] = None,
        timeout_ms: Optional[int] = None,
    ) -> GateResult:
        """Submits an action and returns when it may be done, with a verified grant.

        The other arguments are those of `execute`; timeout_ms stands above `gate_poll_timeout_ms`. Cancelling the task
        withdraws the request.

        Raises AgentLatticeDeniedError (denied), AgentLatticeTimeoutError (nobody decided in time),
        AgentLatticeConnectionError (the system stayed away), AgentLatticeError (POLICY_NOT_FOUND; GRANT_INVALID: a yes
        without a valid grant; UNEXPECTED_ANSWER; what the server refuses).
        """
        submission = _submission(action_type, options, metadata, data_accessed, event_id)
        limit_ms = self._gate_limit_ms if timeout_ms is None else _positive(timeout_ms, "timeout_ms")
        return await Gate(self._transport, self._keys, submission, limit_ms / 1000).run()

    def gated(
        self,
        action_type: str,
        *,
        metadata: MetadataOf = None,
        data_accessed: DataAccessedOf = None,
        event_id: EventIdOf = None,
        timeout_ms: Optional[int] = None,
        report: bool = True,
    ) -> Callable[[F], F]:
        """A decorator: the function runs only when a gate lets its action pass; then its outcome is reported.

        metadata, data_accessed: a value, or a function of the decorated function's arguments that returns it.
        event_id: such a function; by default each call is an action of its own. report=False: report nothing.
        Raises what `gate` raises, and what the function raises.
        """
        return Gated(self, action_type, metadata, data_accessed, event_id, timeout_ms, report).wrap

    async def can_i(
        self,
        action_type: str,
        *,
        metadata: Optional[Json] = None,
        data_accessed: Optional[List[Json]] = None,
    ) -> CanIResult:
        """What a submission would be answered now. Writes nothing: no audit event, no request."""
        path = "/api/v1/policies/check"
        if metadata is None and data_accessed is None:
            request = Request("GET", path, query={"action_type": action_type})
        else:
            action = Action(action_type, metadata or {}, data_accessed or [])
            body: Json = {"action_type": action.action_type, "metadata": action.metadata}
            if data_accessed is not None:
                body["data_accessed"] = action.data_accessed
            request = Request("POST", path, body=body)
        return read(CanIResult.from_dict, await self._transport.send(request))

    async def cancel(self, approval_id: str, reason: Optional[str] = None) -> ApprovalStatus:
        """Withdraws a request of this agent. Code APPROVAL_ALREADY_DECIDED when somebody was faster."""
        return await cancel(self._transport, approval_id, reason)

    async def approval_status(self, approval_id: str, *, wait_seconds: int = 0) -> ApprovalStatus:
        """How a request of this agent stands. wait_seconds (0 to 60): held so long at most, until it is decided."""
        if not 0 <= wait_seconds <= HOLD_S:
            raise AgentLatticeError("INVALID_ARGUMENT", f"wait_seconds must be 0 to {HOLD_S}")
        return await status_of(self._transport, approval_id, wait_seconds)

    async def consume_grant(self, grant: str, action_digest: str) -> ConsumedGrant:
        """Uses the grant of an approved request up: for one caller only.

        Not sent again when it is not known whether it took effect. Codes: GRANT_CONSUMED, GRANT_EXPIRED,
        ACTION_MISMATCH, AGENT_SUSPENDED, DELEGATION_SCOPE, POLICY_DENIED, NOT_FOUND.
        """
        body = {"grant": grant, "action_digest": action_digest}
        request = Request("POST", "/api/v1/grants/consume", body=body, repeatable=False)
        return read(ConsumedGrant.from_dict, await self._transport.send(request))

    async def grant_keys(self) -> List[Json]:
        """The public keys of grants, for `verify_grant` in the program that executes actions."""
        answer = await self._transport.send(Request("GET", "/.well-known/jwks.json"))
        return read(lambda d: list(d["keys"]), answer)

    execute_sync = sync_twin(execute)
    gate_sync = sync_twin(gate)
    can_i_sync = sync_twin(can_i)
    cancel_sync = sync_twin(cancel)
    approval_status_sync = sync_twin(approval_status)
    consume_grant_sync = sync_twin(consume_grant)
    grant_keys_sync = sync_twin(grant_keys)


def _positive(milliseconds: float, name: str) -> float:
    if not milliseconds > 0:
        raise AgentLatticeError("INVALID_ARGUMENT", f"{name} must be more than 0")
    return milliseconds


def _submission(
    action_type: str,
    options: Optional[ActionOptions],
    metadata: Optional[Json],
    data_accessed: Optional[List[Json]],
    event_id: Optional[str],
) -> Submission:
    given = options or ActionOptions()
    key = event_id if event_id is not None else given.event_id or str(uuid.uuid4())
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable() or key != key.strip():
        raise AgentLatticeError("INVALID_ARGUMENT", "event_id must be 1 to 255 printable ASCII characters")
    action = Action(
        action_type,
        metadata if metadata is not None else given.metadata or {},
        data_accessed if data_accessed is not None else given.data_accessed or [],
    )
    return Submission(action, key, datetime.now(timezone.utc).isoformat())
