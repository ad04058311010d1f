"""HTTP: what is repeated and what is not, connections, errors."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any, Callable, Dict

import pytest
from standin import StandIn

from agentlattice import AgentLattice, AgentLatticeConnectionError, AgentLatticeError, ReportOutcome

Json = Dict[str, Any]
Script = Callable[..., str]

APPROVE = {"method": "POST", "path": "/api/v1/approvals/apr_1/approve"}
WHOAMI = {"method": "GET", "path": "/api/v1/whoami"}
ME = {"config_id": "agt_1", "name": "bot", "org_id": "org_1", "is_active": True, "cb_state": "closed"}


def problem(status: int, code: str, **more: Any) -> Json:
    return {"status": status, "body": {"error": code, "message": "no", "detail": "no"}, **more}


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_tried_again(script: Script, status: int) -> None:
    base_url = script(
        {"request": WHOAMI, "answer": problem(status, "AWAY")},
        {"request": WHOAMI, "answer": {"status": status, "text": "<html>bad gateway</html>"}},
        {"request": WHOAMI, "answer": {"status": 200, "body": ME}},
    )
    with AgentLattice("k", base_url) as al:
        assert al.whoami_sync().name == "bot"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 500])
def test_a_refusal_is_told_at_once(script: Script, status: int) -> None:
    base_url = script({"request": WHOAMI, "answer": problem(status, "REFUSED")})
    with AgentLattice("k", base_url) as al, pytest.raises(AgentLatticeError) as raised:
        al.whoami_sync()
    assert (raised.value.code, raised.value.status, raised.value.request_id) == ("REFUSED", status, "req-1")
    assert raised.value.details["error"] == "REFUSED"


@pytest.mark.parametrize(("status", "code"), [(404, "API_ERROR"), (500, "API_ERROR"), (304, "UNEXPECTED_ANSWER")])
def test_an_error_without_a_code_gets_one(script: Script, status: int, code: str) -> None:
    base_url = script({"request": WHOAMI, "answer": {"status": status, "text": "x" if status != 304 else ""}})
    with AgentLattice("k", base_url) as al, pytest.raises(AgentLatticeError) as raised:
        al.whoami_sync()
    assert (raised.value.code, raised.value.status) == (code, status)


def test_retry_after_longer_than_we_try_is_told_at_once(script: Script) -> None:
    base_url = script({"request": WHOAMI, "answer": problem(503, "UNAVAILABLE", headers={"retry-after": "900"})})
    with AgentLattice("k", base_url, retry_for=30) as al, pytest.raises(AgentLatticeError) as raised:
        al.whoami_sync()
    assert raised.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_decision_of_unknown_fate_is_not_repeated(script: Script, status: int) -> None:
    base_url = script({"request": APPROVE, "answer": problem(status, "UNAVAILABLE")})
    with AgentLattice("k", base_url) as al, pytest.raises(AgentLatticeError) as raised:
        al.approve_action_sync("apr_1", reason="x")
    assert raised.value.code == "UNAVAILABLE"


def test_a_decision_over_the_rate_limit_took_no_effect_and_is_repeated(script: Script) -> None:
    decided = {"status": "approved", "approval_id": "apr_1"}
    base_url = script(
        {"request": APPROVE, "answer": problem(429, "RATE_LIMITED")},
        {"request": APPROVE, "answer": {"status": 200, "body": decided}},
    )
    with AgentLattice("k", base_url) as al:
        assert al.approve_action_sync("apr_1").status == "approved"


def test_a_decision_that_never_left_is_repeated() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # Nobody listens, so connections are refused.
        with AgentLattice("k", f"http://127.0.0.1:{port}", retry_for=1) as al:
            with pytest.raises(AgentLatticeConnectionError) as raised:
                al.deny_action_sync("apr_1")
    assert "not known" not in str(raised.value)


def test_a_decision_that_broke_off_says_that_its_fate_is_not_known(script: Script) -> None:
    base_url = script({"request": {**APPROVE, "path": "/api/v1/approvals/apr_1/deny"}, "answer": "drop"})
    with AgentLattice("k", base_url) as al:
        with pytest.raises(AgentLatticeConnectionError, match="Whether it took effect is not known"):
            al.deny_action_sync("apr_1")


def test_a_withdrawal_that_is_repeated_finds_itself_done(script: Script) -> None:
    cancel = {"method": "POST", "path": "/api/v1/approvals/apr_1/cancel"}
    standing = {"status": "cancelled", "denial_reason": "CANCELLED", "reason": "done"}
    body = {"error": "APPROVAL_ALREADY_DECIDED", "message": "decided", "decision": standing}
    base_url = script(
        {"request": cancel, "answer": "drop"}, {"request": cancel, "answer": {"status": 409, "body": body}}
    )
    with AgentLattice("k", base_url) as al:
        assert al.cancel_sync("apr_1").denial_reason == "CANCELLED"


def test_an_answer_that_takes_too_long_is_an_error(script: Script) -> None:
    base_url = script({"request": WHOAMI, "answer": {"status": 200, "body": ME, "delay_ms": 5000}})
    with AgentLattice("k", base_url, timeout=0.3, retry_for=0) as al:
        with pytest.raises(AgentLatticeConnectionError, match="ReadTimeout"):
            al.whoami_sync()


def test_an_answer_of_another_form_is_an_error(script: Script) -> None:
    base_url = script({"request": WHOAMI, "answer": {"status": 200, "body": {"name": "bot"}}})
    with AgentLattice("k", base_url) as al, pytest.raises(AgentLatticeError) as raised:
        al.whoami_sync()
    assert raised.value.code == "UNEXPECTED_ANSWER"


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"api_key": ""}, "MISSING_API_KEY"),
        ({"api_key": " \n"}, "MISSING_API_KEY"),
        ({}, "MISSING_API_KEY"),
        ({"api_key": "a\nb"}, "INVALID_ARGUMENT"),
        ({"api_key": "é"}, "INVALID_ARGUMENT"),
        ({"api_key": "k", "base_url": "localhost:3000"}, "INVALID_ARGUMENT"),
        ({"api_key": "k", "base_url": "http://"}, "INVALID_ARGUMENT"),
        ({"api_key": "k", "base_url": "http://h:x"}, "INVALID_ARGUMENT"),
    ],
)
def test_bad_settings_are_told(settings: Json, code: str) -> None:
    with pytest.raises(AgentLatticeError) as raised:
        AgentLattice(**settings)
    assert raised.value.code == code


def test_settings_come_from_the_environment(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AL_API_KEY", "al_agent_env\n")
    monkeypatch.setenv("AL_BASE_URL", f"{standin.base_url}/")
    with AgentLattice() as al:
        al.whoami_sync()
    assert standin.seen[0].path == "/api/v1/whoami"
    assert standin.seen[0].headers["authorization"] == "Bearer al_agent_env"
    monkeypatch.delenv("AL_BASE_URL")
    assert AgentLattice()._transport.base_url == "http://localhost:3000"


def test_a_large_float_is_sent_as_a_float(standin: StandIn) -> None:
    standin.policies["read"] = "allow"
    with AgentLattice("k", standin.base_url) as al:
        al.gate_sync("read", metadata={"n": 1e16, "text": "é"})
        with pytest.raises(AgentLatticeError) as raised:
            al.report_sync("\ud800", ReportOutcome("success"))
    assert isinstance(standin.seen[0].body["metadata"]["n"], float)
    assert raised.value.code == "INVALID_JSON_VALUE"


def test_the_key_is_not_in_texts(standin: StandIn) -> None:
    al = AgentLattice("al_agent_secret", standin.base_url)
    assert "secret" not in repr(al) + repr(al._transport)


def test_one_client_serves_one_loop_after_another(standin: StandIn) -> None:
    al = AgentLattice("k", standin.base_url)

    async def use() -> None:
        for _ in range(3):
            await al.whoami()
        await al._transport.connections.client().aclose()

    for _ in range(3):
        asyncio.run(use())
    al.whoami_sync()
    al.close()
    assert len(standin.seen) == 10
    assert al._transport.connections._clients == {}


def test_connections_are_reused(standin: StandIn) -> None:
    accepted = []
    ordinary = standin.server.get_request

    def get_request() -> Any:
        accepted.append(1)
        return ordinary()

    standin.server.get_request = get_request  # type: ignore[method-assign]
    with AgentLattice("k", standin.base_url) as al:
        for _ in range(20):
            al.whoami_sync()
    assert len(accepted) == 1


def test_a_closed_client_can_be_used_again(standin: StandIn) -> None:
    al = AgentLattice("k", standin.base_url)
    for _ in range(2):
        with al:
            al.whoami_sync()
    assert len(standin.seen) == 2


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_has_connections_of_its_own(standin: StandIn) -> None:
    al = AgentLattice("k", standin.base_url)
    al.whoami_sync()
    child = os.fork()
    if child == 0:
        try:
            al.whoami_sync()
            os._exit(0)
        except BaseException:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    al.whoami_sync()
    al.close()
    assert len(standin.seen) == 3
