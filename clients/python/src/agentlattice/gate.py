"""Submitting an action, and waiting for the decision by held requests."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any, Coroutine, Optional, Set, Tuple, cast

from agentlattice.action import Action
from agentlattice.errors import (
    AgentLatticeConnectionError,
    AgentLatticeDeniedError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
)
from agentlattice.grants import KeySet
from agentlattice.models import ActionResult, ApprovalStatus, GateResult, read
from agentlattice.transport import Request, Sent, Transport, segment

#: The longest time in seconds that the server holds an answer.
HOLD_S = 60
#: How long withdrawing a request may take, in seconds.
WITHDRAW_S = 5.0
#: How long the answer to a submission is waited for when the time limit is over, in seconds.
_ANSWER_S = 2.0
#: An answer that says "pending" sooner than this was not held; the next request waits a little, in seconds.
_HELD_S = 1.0
_SHORT_PAUSE_S = 0.25


@dataclass(frozen=True)
class Submission:
    """One action under one event id. timestamp: when the agent asked (RFC 3339)."""

    action: Action
    event_id: str
    timestamp: str
    sent: Sent = field(default_factory=Sent)

    def request(self, prefer: Optional[str], hold: int = 0, retry_for: Optional[float] = None) -> Request:
        headers = {"X-AL-Event-ID": self.event_id}
        if prefer is not None:
            headers["Prefer"] = prefer
        body = {
            "action_type": self.action.action_type,
            "timestamp": self.timestamp,
            "data_accessed": self.action.data_accessed,
            "metadata": self.action.metadata,
        }
        return Request(
            "POST",
            "/api/v1/actions",
            body=body,
            headers=headers,
            hold=hold,
            retry_for=retry_for,
            sent=self.sent,
        )


async def submit(transport: Transport, submission: Submission, request: Request) -> ActionResult:
    """Sends a submission. The same event id makes every repetition the same action."""
    result = read(ActionResult.from_dict, await transport.send(request))
    result.event_id = submission.event_id
    return result


class Gate:
    """One call of `gate`. limit: seconds that the program waits at most."""

    def __init__(self, transport: Transport, keys: KeySet, submission: Submission, limit: float) -> None:
        self._transport = transport
        self._keys = keys
        self._submission = submission
        self._limit = limit
        self._ends = 0.0
        self._answer: Optional[ActionResult] = None
        self._answered: asyncio.Future[None]

    async def run(self) -> GateResult:
        """Returns when the action may be done. Raises the errors that `AgentLattice.gate` names."""
        self._transport.connections.client()  # Made before the time runs.
        self._answered = asyncio.get_running_loop().create_future()
        self._ends = time.monotonic() + self._limit
        waiting: asyncio.Future[Any] = asyncio.ensure_future(self._decision())
        try:
            await asyncio.wait({waiting}, timeout=self._limit)
            if self._submission.sent.begun:
                # The answer names what there is to withdraw, and is not held for longer than the limit.
                await asyncio.wait({waiting, self._answered}, timeout=_ANSWER_S, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self._give_up(waiting)
            raise
        if not waiting.done():
            await _stop(waiting)
        if not waiting.cancelled():
            return cast(GateResult, waiting.result())
        return await self._after_limit()

    async def _decision(self) -> GateResult:
        try:
            hold = min(HOLD_S, int(self._limit))
            prefer = f"wait={hold}, grant" if hold > 0 else "grant"
            request = self._submission.request(prefer, hold)
            self._answer = await submit(self._transport, self._submission, request)
            self._answered.set_result(None)
            if self._answer.status != "requested":
                return await self._verdict(self._answer)
            return await self._conclude(self._answer, await self._decided(str(self._answer.approval_id)))
        except AgentLatticeConnectionError as error:
            error.event_id = self._submission.event_id
            error.approval_id = None if self._answer is None else self._answer.approval_id
            raise

    async def _decided(self, approval_id: str) -> ApprovalStatus:
        pause = _SHORT_PAUSE_S
        while True:
            hold = max(1, min(HOLD_S, int(self._ends - time.monotonic()) + 1))
            asked = time.monotonic()
            status = await self._status(approval_id, hold)
            if not status.open:
                return status
            if time.monotonic() - asked >= _HELD_S:
                pause = _SHORT_PAUSE_S
                continue
            # The server did not hold the answer, perhaps because it is stopping.
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

    async def _status(self, approval_id: str, hold: int = 0, retry_for: Optional[float] = None) -> ApprovalStatus:
        return await status_of(self._transport, approval_id, hold, retry_for)

    async def _verdict(self, answer: ActionResult) -> GateResult:
        if answer.status == "executed":
            return await self._passed(answer, answer.grant)
        if answer.status == "policy_not_found":
            raise AgentLatticeError(
                "POLICY_NOT_FOUND",
                f"No policy names the action type '{self._submission.action.action_type}', so it is denied",
                answer,
            )
        if answer.denial_reason == "approval_timeout" or answer.status == "timed_out":
            raise AgentLatticeTimeoutError(answer.approval_id)
        raise _denied(answer, answer.denial_reason, answer.reason)

    async def _conclude(self, asked: ActionResult, status: ApprovalStatus) -> GateResult:
        if status.approval_id != asked.approval_id:
            raise AgentLatticeError("UNEXPECTED_ANSWER", "The status is of another request", status)
        if status.status == "approved":
            return await self._passed(asked, status.grant, status)
        if status.status == "timed_out":
            raise AgentLatticeTimeoutError(asked.approval_id)
        raise _denied(asked, status.denial_reason, status.reason)

    async def _passed(
        self, asked: ActionResult, grant: Optional[str], decided: Optional[ApprovalStatus] = None
    ) -> GateResult:
        """A yes counts only with a grant for this very action."""
        await self._keys.verify(
            grant,
            self._submission.action,
            approval_id=asked.approval_id,
            audit_event_id=asked.audit_event_id,
        )
        return GateResult(
            status="executed" if decided is None else "approved",
            audit_event_id=asked.audit_event_id,
            event_id=self._submission.event_id,
            grant=str(grant),
            approval_id=asked.approval_id,
            policy_name=asked.policy_name,
            conditions_evaluated=asked.conditions_evaluated,
            reason=asked.reason if decided is None else decided.reason,
            resolved_by=asked.resolved_by if decided is None else decided.resolved_by,
            resolved_by_name=asked.resolved_by_name if decided is None else decided.resolved_by_name,
            resolved_at=None if decided is None else decided.resolved_at,
        )

    async def _after_limit(self) -> GateResult:
        """The program's time is up: withdraws the request. A decision that came just before stands."""
        try:
            asked, status = await _bounded(self._withdrawn("gate: the program's time limit is over"))
        except (AgentLatticeError, asyncio.TimeoutError) as error:
            if self._answer is None:
                raise self._never_answered() from error
            raise AgentLatticeTimeoutError(
                self._answer.approval_id,
                f"The time limit is over; the request could not be withdrawn ({str(error) or 'no answer in time'})",
                {"withdrawn": False, "event_id": self._submission.event_id},
            ) from error
        if asked is None:
            raise self._never_answered()
        if status is None:
            return await self._verdict(asked)
        if status.open or (status.status == "denied" and status.denial_reason == "CANCELLED"):
            raise AgentLatticeTimeoutError(
                asked.approval_id,
                f"The program's time limit is over (approval_id: {asked.approval_id})",
                {"withdrawn": not status.open},
            )
        return await self._conclude(asked, status)

    def _never_answered(self) -> AgentLatticeConnectionError:
        error = AgentLatticeConnectionError("The system did not answer within the program's time limit")
        error.event_id = self._submission.event_id
        return error

    async def _withdrawn(self, reason: str) -> Tuple[Optional[ActionResult], Optional[ApprovalStatus]]:
        """Withdraws the request. Returns what was asked and how it stands; None for what there is not."""
        if self._answer is None:
            if not self._submission.sent.begun:
                return None, None
            # What became of the submission is not known; the same event id tells, and makes no second request.
            request = self._submission.request("grant", retry_for=WITHDRAW_S)
            self._answer = await submit(self._transport, self._submission, request)
        asked = self._answer
        if asked.status != "requested":
            return asked, None
        approval_id = str(asked.approval_id)
        try:
            return asked, await cancel(self._transport, approval_id, reason, retry_for=WITHDRAW_S)
        except AgentLatticeError as error:
            if error.status != 409:
                raise
            return asked, await self._status(approval_id, retry_for=WITHDRAW_S)

    async def _give_up(self, waiting: asyncio.Future[GateResult]) -> None:
        """The program no longer wants the action: withdraws the request if that is possible in a few seconds."""
        await _stop(waiting)
        if not waiting.cancelled():
            return
        try:
            await _bounded(self._withdrawn("gate: cancelled by the program"))
        except (AgentLatticeError, asyncio.TimeoutError):
            return


async def status_of(
    transport: Transport, approval_id: str, hold: int = 0, retry_for: Optional[float] = None
) -> ApprovalStatus:
    """How a request stands. hold: seconds that the server may hold the answer until it is decided."""
    request = Request(
        "GET",
        f"/api/v1/approvals/{segment(approval_id, 'approval_id')}/status",
        headers={"Prefer": f"wait={hold}"} if hold > 0 else {},
        hold=hold,
        retry_for=retry_for,
    )
    return read(ApprovalStatus.from_dict, await transport.send(request))


async def cancel(
    transport: Transport, approval_id: str, reason: Optional[str], retry_for: Optional[float] = None
) -> ApprovalStatus:
    """Withdraws a request of this agent. One that was withdrawn already is a success."""
    path = f"/api/v1/approvals/{segment(approval_id, 'approval_id')}/cancel"
    body = {} if reason is None else {"reason": reason}
    try:
        answer = await transport.send(Request("POST", path, body=body, retry_for=retry_for))
    except AgentLatticeError as error:
        decision = error.details.get("decision") if isinstance(error.details, dict) else None
        if error.status != 409 or not isinstance(decision, dict):
            raise
        if decision.get("denial_reason") != "CANCELLED":
            raise
        answer = {"approval_id": approval_id, **decision, "status": "denied"}
    return read(ApprovalStatus.from_dict, answer)


def _denied(asked: ActionResult, reason: Optional[str], said: Optional[str]) -> AgentLatticeDeniedError:
    # The system says its code in both places; what a person wrote is no code.
    comment = None if said == reason else said
    return AgentLatticeDeniedError(asked.approval_id, reason, asked.policy_name, asked.conditions_evaluated, comment)


async def _stop(task: asyncio.Future[Any]) -> None:
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # Read, so that asyncio does not warn of one that nobody waits for.


#: Tasks that go on after the caller was cancelled a second time; a loop keeps only weak references to tasks.
_unattended: Set[asyncio.Task[Any]] = set()


async def _bounded(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Runs to its end within WITHDRAW_S, also when the caller is cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.wait_for(coroutine, WITHDRAW_S))
    _unattended.add(task)
    task.add_done_callback(_unattended.discard)
    return await asyncio.shield(task)
