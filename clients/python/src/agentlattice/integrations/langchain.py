"""LangChain: a middleware of `create_agent` that asks before a tool runs. Needs the extra `langchain`.

    from agentlattice.integrations.langchain import ApprovalMiddleware

    agent = create_agent(model, tools, middleware=[ApprovalMiddleware(AgentLattice())])

Whether a call may run is always the system's own answer to this very call: nothing that a checkpoint holds or a client
sends back counts.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import time
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Collection, Dict, Optional, Union

from langchain.agents.middleware import AgentMiddleware
from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.types import Command, interrupt

from agentlattice.action import Action
from agentlattice.asking import Asking
from agentlattice.decorators import LONGEST_MESSAGE, REPORT_FOR_S
from agentlattice.errors import AgentLatticeError
from agentlattice.gate import HOLD_S
from agentlattice.introspection import send_report
from agentlattice.models import ApprovalStatus, GateResult, ReportOutcome
from agentlattice.sync import run_sync

Result = Union[ToolMessage, "Command[Any]"]

#: With these the system has answered and the answer is no. Everything else is a fault, which the program has to see.
_REFUSALS = {
    "ACTION_DENIED", "APPROVAL_TIMEOUT", "POLICY_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED", "GRANT_CONSUMED",
    "GRANT_EXPIRED", "GRANT_INVALID", "ACTION_MISMATCH", "AGENT_SUSPENDED", "DELEGATION_SCOPE", "POLICY_DENIED",
}  # fmt: skip
_PLAINLY = {
    # Whether it ran to its end is not known here; the model must not take it for a call that never ran.
    "GRANT_CONSUMED": "this call was cleared and used before",
    "IDEMPOTENCY_KEY_REUSED": "a call with this id was made before, with other arguments",
}
#: An answer that says "pending" sooner than this was not held, in seconds.
_HELD_S = 1.0

logger = logging.getLogger("agentlattice")


@dataclass(frozen=True)
class _Call:
    """A call of a tool as an action. The same id in the same thread is the same action."""

    action: Action
    event_id: str


class ApprovalMiddleware(AgentMiddleware):
    """Puts a gate before the tools of an agent.

    Name it last in `middleware`, so that no other one changes a call after it was cleared.

    client: an AgentLattice with an agent's key, or a delegated agent.
    action_type: the action type of a tool, by default `tool.<name>`.
    only: the names of the tools that are gated; by default all.
    pause: True: a call that waits for a person interrupts the run with `{"approval_id", "timeout_at", "tool",
        "arguments"}` (needs a checkpointer and a `thread_id`). The value that the run is resumed with does not count: a
        request that still waits interrupts again. False: the call waits in place.
    timeout_ms: how long a call waits in place; then its request is withdrawn. By default the client's own limit.
    """

    def __init__(
        self,
        client: Asking,
        *,
        action_type: Callable[[str], str] = lambda tool: f"tool.{tool}",
        only: Optional[Collection[str]] = None,
        pause: bool = False,
        timeout_ms: Optional[int] = None,
    ) -> None:
        super().__init__()
        self._client = client
        self._action_type = action_type
        self._only = only
        self._pause = pause
        self._timeout_ms = timeout_ms

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]) -> Result:
        if not self._covers(request):
            return handler(request)
        call = self._call_of(request)
        while (waiting := run_sync(self._waiting(call))) is not None:
            interrupt(_shown(waiting, request))
        try:
            cleared = run_sync(self._clear(call))
        except AgentLatticeError as error:
            return _answer(request, error)
        try:
            result = handler(request)
        except BaseException as error:
            run_sync(self._report(cleared, error))
            raise
        run_sync(self._report(cleared, None))
        return result

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        if not self._covers(request):
            return await handler(request)
        call = self._call_of(request)
        while (waiting := await self._waiting(call)) is not None:
            interrupt(_shown(waiting, request))
        try:
            cleared = await self._clear(call)
        except AgentLatticeError as error:
            return _answer(request, error)
        try:
            result = await handler(request)
        except BaseException as error:
            await asyncio.shield(self._report(cleared, error))
            raise
        await self._report(cleared, None)
        return result

    def _covers(self, request: ToolCallRequest) -> bool:
        return self._only is None or request.tool_call["name"] in self._only

    def _call_of(self, request: ToolCallRequest) -> _Call:
        name, arguments, call_id = (request.tool_call[member] for member in ("name", "args", "id"))
        if not call_id:
            raise AgentLatticeError("INVALID_ARGUMENT", f"A call of {name} has no id, so it cannot be gated")
        config = getattr(request.runtime, "config", None) or {}
        thread = (config.get("configurable") or {}).get("thread_id") or ""
        # The id of the call is all that stands in the event id: the same id with other arguments is refused.
        key = json.dumps([str(thread), call_id], separators=(",", ":"), ensure_ascii=False)
        event_id = f"tool-call:{hashlib.sha256(key.encode()).hexdigest()}"
        return _Call(Action(self._action_type(name), {"tool": name, "arguments": arguments}), event_id)

    async def _waiting(self, call: _Call) -> Optional[ApprovalStatus]:
        """Submits the call if it was not yet. Returns the request that the run must pause for."""
        if not self._pause:
            return None
        try:
            answer = await self._client.execute(
                call.action.action_type, metadata=call.action.metadata, event_id=call.event_id
            )
            if answer.status != "requested":
                return None
            status = await self._client.approval_status(str(answer.approval_id))
        except AgentLatticeError as error:
            if error.code in _REFUSALS:
                return None  # The gate is refused in the same way, and gives the model its answer.
            raise
        return status if status.open else None

    async def _clear(self, call: _Call) -> GateResult:
        """Returns when the call may run, once. The grant of an approval is used up directly before."""
        cleared = await self._client.gate(
            call.action.action_type,
            metadata=call.action.metadata,
            event_id=call.event_id,
            timeout_ms=None if self._pause else self._timeout_ms,
        )
        # Only approvals are for one run: what a policy allows it allows each time.
        if cleared.approval_id is not None:
            ids = {"approval_id": cleared.approval_id, "audit_event_id": cleared.audit_event_id}
            claims = await self._client._keys.verify(cleared.grant, call.action, **ids)
            await self._client.consume_grant(cleared.grant, claims.action_digest)
        return cleared

    async def _report(self, cleared: GateResult, error: Optional[BaseException]) -> None:
        """Says how the tool ended. What became of the report changes nothing for the run."""
        message = None if error is None else f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
        outcome = ReportOutcome(status="success" if error is None else "failure", message=message)
        try:
            report = send_report(self._client._transport, cleared.audit_event_id, outcome, REPORT_FOR_S)
            await asyncio.wait_for(report, REPORT_FOR_S)
        except (AgentLatticeError, asyncio.TimeoutError) as fault:
            logger.warning("The outcome of a tool call could not be reported: %r", fault)


async def decided(client: Asking, approval_id: str) -> None:
    """Waits until a request is decided; the program then resumes the run that paused for it."""
    while True:
        begun = time.monotonic()
        if not (await client.approval_status(approval_id, wait_seconds=HOLD_S)).open:
            return
        if time.monotonic() - begun < _HELD_S:
            await asyncio.sleep(_HELD_S)


def _shown(waiting: ApprovalStatus, request: ToolCallRequest) -> Dict[str, Any]:
    call = request.tool_call
    facts = {"approval_id": waiting.approval_id, "timeout_at": waiting.timeout_at}
    return {**facts, "tool": call["name"], "arguments": call["args"]}


def _answer(request: ToolCallRequest, error: AgentLatticeError) -> ToolMessage:
    """The answer that the model reads, where the system said no. Raises the error where it is a fault."""
    if error.code not in _REFUSALS:
        raise error
    text = f"The tool was not run: {_PLAINLY.get(error.code, str(error))}"
    call = request.tool_call
    return ToolMessage(text, tool_call_id=call["id"], name=call["name"], status="error")
