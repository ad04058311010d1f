"""gate: waits, withdraws what nobody wants any more, and passes only with a grant."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict

import pytest
from standin import Signer, StandIn

from agentlattice import (
    Action,
    AgentLattice,
    AgentLatticeConnectionError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
    ApprovalDeniedError,
    GateResult,
    verify_grant,
)

pytestmark = pytest.mark.anyio
ACTIONS = "/api/v1/actions"


def client(standin: StandIn, **settings: Any) -> AgentLattice:
    return AgentLattice("al_agent_1", standin.base_url, **settings)


async def seen(standin: StandIn, method: str, path: str, count: int = 1) -> None:
    await asyncio.get_running_loop().run_in_executor(None, standin.until, count, method, path)


async def test_a_gate_returns_the_verified_grant(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", metadata={"service": "api"}, event_id="e1"))
        await seen(standin, "POST", ACTIONS)
        standin.decide("apr_e1", "approved")
        passed = await waiting
    assert isinstance(passed, GateResult)
    assert (passed.approval_id, passed.audit_event_id, passed.event_id) == ("apr_e1", "evt_e1", "e1")
    verify_grant(passed.grant, [standin.signer.jwk()], Action("deploy", {"service": "api"}), approval_id="apr_e1")
    assert len(standin.requests("POST", ACTIONS)) == 1


async def test_changing_the_metadata_while_waiting_changes_nothing(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    metadata: Dict[str, Any] = {"service": "api"}
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", metadata=metadata, event_id="e1"))
        await seen(standin, "POST", ACTIONS)
        metadata["service"] = "payments"
        standin.decide("apr_e1", "approved")
        assert (await waiting).status == "executed"


async def test_cancelling_the_task_withdraws_a_request_that_is_held(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1"))
        await seen(standin, "POST", ACTIONS)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert standin.asked["e1"].denial_reason == "CANCELLED"
    first, second = standin.requests("POST", ACTIONS)
    assert first.headers["x-al-event-id"] == second.headers["x-al-event-id"]
    assert (first.headers["prefer"], second.headers["prefer"]) == ("wait=60, grant", "grant")


async def test_cancelling_the_task_withdraws_a_request_that_is_known(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin, gate_poll_timeout_ms=1900) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1"))
        await seen(standin, "GET", "/api/v1/approvals/apr_e1/status")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert standin.asked["e1"].denial_reason == "CANCELLED"
    assert len(standin.requests("POST", ACTIONS)) == 1


async def test_cancelling_before_anything_was_sent_asks_for_nothing(standin: StandIn) -> None:
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1"))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    assert standin.seen == []


async def test_cancelling_does_not_hang_when_the_system_is_gone(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1"))
        await seen(standin, "POST", ACTIONS)
        standin.stop()
        begun = time.monotonic()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 60)
        assert time.monotonic() - begun < 60


async def test_the_programs_own_limit_holds_no_longer_than_it_lasts(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin, gate_poll_timeout_ms=1500, gate_poll_interval_ms=1) as al:
        with pytest.raises(AgentLatticeTimeoutError) as raised:
            await al.gate("deploy", event_id="e1")
    assert raised.value.approval_id == "apr_e1"
    assert raised.value.details == {"withdrawn": True}
    assert standin.asked["e1"].denial_reason == "CANCELLED"
    assert standin.requests("POST", ACTIONS)[0].headers["prefer"] == "wait=1, grant"


async def test_a_limit_that_cannot_withdraw_says_so(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin, retry_for=0.2) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1", timeout_ms=900))
        await seen(standin, "GET", "/api/v1/approvals/apr_e1/status")
        standin.override = lambda _: (403, {"error": "FORBIDDEN", "message": "no"})
        with pytest.raises(AgentLatticeTimeoutError, match="could not be withdrawn") as raised:
            await waiting
    assert raised.value.approval_id == "apr_e1"
    assert raised.value.details == {"withdrawn": False, "event_id": "e1"}


async def test_a_withdrawal_that_is_not_answered_does_not_hang(
    standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentlattice.gate.WITHDRAW_S", 0.3)
    standin.policies["deploy"] = "ask"
    ended = threading.Event()

    def hang(request: Any) -> Any:
        if request.path.endswith("/cancel"):
            ended.wait(60)
        return standin.answer(request)

    standin.override = hang
    async with client(standin) as al:
        with pytest.raises(AgentLatticeTimeoutError, match="no answer in time") as raised:
            await al.gate("deploy", timeout_ms=900)
    ended.set()
    assert raised.value.details["withdrawn"] is False


async def test_a_system_that_is_away_names_what_to_go_on_with() -> None:
    async with AgentLattice("k", "http://127.0.0.1:9", retry_for=0.1) as al:
        with pytest.raises(AgentLatticeConnectionError) as raised:
            await al.gate("deploy", event_id="e1")
    assert (raised.value.code, raised.value.event_id, raised.value.approval_id) == ("NETWORK_ERROR", "e1", None)


async def test_a_limit_while_the_system_is_away_is_no_decision_of_anybody() -> None:
    async with AgentLattice("k", "http://127.0.0.1:9") as al:
        with pytest.raises(AgentLatticeConnectionError) as raised:
            await al.gate("deploy", event_id="e1", timeout_ms=300)
    assert (raised.value.code, raised.value.event_id, raised.value.approval_id) == ("NETWORK_ERROR", "e1", None)


async def test_many_gates_wait_at_once_on_one_client(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    count = 105
    async with client(standin) as al:
        waiting = [asyncio.create_task(al.gate("deploy", event_id=f"e{n}")) for n in range(count)]
        await seen(standin, "POST", ACTIONS, count)
        for n in range(count):
            standin.decide(f"apr_e{n}", "approved")
        passed = await asyncio.gather(*waiting)
    assert len(standin.requests("GET", "/.well-known/jwks.json")) < count
    assert [p.approval_id for p in passed] == [f"apr_e{n}" for n in range(count)]


async def test_keys_are_fetched_once_for_many_gates(standin: StandIn) -> None:
    standin.policies["read"] = "allow"
    async with client(standin) as al:
        for _ in range(5):
            await al.gate("read")
        assert len(standin.requests("GET", "/.well-known/jwks.json")) == 1
        standin.signer = Signer("k2")  # The server has a new key.
        await al.gate("read")
    assert len(standin.requests("GET", "/.well-known/jwks.json")) == 2


async def test_an_approval_of_another_request_does_not_pass(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"

    def mixed_up(request: Any) -> Any:
        if request.path.endswith("/status"):
            return 200, {"status": "approved", "approval_id": "apr_other", "grant": "x.y.z"}
        return standin.answer(request)

    standin.override = mixed_up
    async with client(standin) as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.gate("deploy", timeout_ms=900)
    assert raised.value.code == "UNEXPECTED_ANSWER"


async def test_a_verdict_that_contradicts_its_status_does_not_pass(standin: StandIn) -> None:
    standin.policies["read"] = "allow"
    standin.override = lambda r: (200, {**standin.answer(r)[1], "verdict": "denied"})
    async with client(standin) as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.gate("read")
    assert raised.value.code == "UNEXPECTED_ANSWER"


async def test_a_request_that_somebody_else_withdrew_is_denied(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    async with client(standin) as al:
        waiting = asyncio.create_task(al.gate("deploy", event_id="e1"))
        await seen(standin, "POST", ACTIONS)
        await al.cancel("apr_e1", reason="not needed")
        with pytest.raises(ApprovalDeniedError) as raised:
            await waiting
    assert (raised.value.reason, raised.value.comment) == ("CANCELLED", "not needed")


@pytest.mark.parametrize("event_id", ["", " x", "é", "a\nb", "x" * 256])
async def test_an_event_id_that_no_header_can_carry_is_refused(standin: StandIn, event_id: str) -> None:
    async with client(standin) as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.gate("read", event_id=event_id)
    assert raised.value.code == "INVALID_ARGUMENT"
    assert standin.seen == []


@pytest.mark.parametrize("limit", [0, -1])
def test_a_time_limit_is_more_than_nothing(limit: int) -> None:
    with pytest.raises(AgentLatticeError, match="more than 0"):
        AgentLattice("k", gate_poll_timeout_ms=limit)


def test_an_interrupted_program_withdraws_its_request(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from agentlattice import AgentLattice\n"
        "AgentLattice('al_agent_1', sys.argv[1]).gate_sync('deploy', event_id='e1')"
    )
    command = [sys.executable, "-c", program, standin.base_url]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        standin.until(1, "POST", ACTIONS)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert standin.asked["e1"].denial_reason == "CANCELLED"
