"""`gated`: the function runs only when its action may be done, and its outcome is reported."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any, AsyncIterator, Dict, Iterator, List

import pytest
from standin import StandIn

from agentlattice import AgentLattice, ApprovalDeniedError

REPORT = "/api/v1/report"


@pytest.fixture
def al(standin: StandIn) -> Iterator[AgentLattice]:
    standin.policies.update({"deploy": "allow", "wipe": "deny"})
    with AgentLattice("k", standin.base_url, retry_for=0) as client:
        yield client


def reported(standin: StandIn) -> List[Any]:
    return [seen.body["outcome"] for seen in standin.requests("POST", REPORT)]


def test_a_sync_function_runs_when_it_may(al: AgentLattice, standin: StandIn) -> None:
    @al.gated("deploy", metadata=lambda service, version: {"service": service, "version": version})
    def deploy(service: str, version: str) -> str:
        """Deploys."""
        return f"{service} {version}"

    assert deploy("api", version="2") == "api 2"
    assert (deploy.__name__, deploy.__doc__) == ("deploy", "Deploys.")
    submitted = standin.requests("POST", "/api/v1/actions")[0]
    assert submitted.body["metadata"] == {"service": "api", "version": "2"}
    assert [outcome["status"] for outcome in reported(standin)] == ["success"]
    assert standin.requests("POST", REPORT)[0].body["audit_event_id"].startswith("evt_")


def test_each_call_is_an_action_of_its_own(al: AgentLattice, standin: StandIn) -> None:
    @al.gated("deploy", report=False)
    def deploy() -> None:
        pass

    deploy()
    deploy()
    assert len(standin.asked) == 2
    assert reported(standin) == []


def test_a_denied_function_does_not_run(al: AgentLattice, standin: StandIn) -> None:
    ran = []

    @al.gated("wipe", metadata={"table": "orders"})
    def wipe() -> None:
        ran.append(1)

    with pytest.raises(ApprovalDeniedError):
        wipe()
    assert ran == []
    assert reported(standin) == []


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_is_reported_and_raised(al: AgentLattice, standin: StandIn, kind: Any) -> None:
    @al.gated("deploy")
    def deploy() -> None:
        raise kind("no space")

    with pytest.raises(kind, match="no space"):
        deploy()
    (outcome,) = reported(standin)
    assert (outcome["status"], outcome["message"]) == ("failure", f"{kind.__name__}: no space")


@pytest.mark.anyio
async def test_an_async_function_runs_when_it_may(al: AgentLattice, standin: StandIn) -> None:
    @al.gated("deploy", event_id=lambda n: f"build-{n}", data_accessed=[{"type": "code"}])
    async def deploy(n: int) -> int:
        await asyncio.sleep(0)
        return n

    assert await deploy(7) == 7
    assert standin.asked["build-7"].action.data_accessed == [{"type": "code"}]
    assert [outcome["status"] for outcome in reported(standin)] == ["success"]
    await al.aclose()


@pytest.mark.anyio
async def test_a_cancelled_function_is_reported_as_failed(al: AgentLattice, standin: StandIn) -> None:
    started = asyncio.Event()

    @al.gated("deploy")
    async def deploy() -> None:
        started.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(deploy())
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [outcome["status"] for outcome in reported(standin)] == ["failure"]
    await al.aclose()


def test_a_report_that_fails_does_not_hide_the_result(
    al: AgentLattice, standin: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    refused: Dict[str, str] = {"error": "FORBIDDEN", "message": "no"}
    standin.override = lambda seen: (403, refused) if seen.path == REPORT else standin.answer(seen)

    @al.gated("deploy")
    def deploy(fail: bool) -> str:
        if fail:
            raise ValueError("mine")
        return "done"

    with caplog.at_level(logging.WARNING, "agentlattice"):
        assert deploy(False) == "done"
        with pytest.raises(ValueError, match="mine"):
            deploy(True)
    assert caplog.text.count("could not be reported") == 2


def test_a_report_that_is_not_answered_does_not_hold_up_the_result(
    al: AgentLattice, standin: StandIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("agentlattice.decorators.REPORT_FOR_S", 0.3)
    ended = threading.Event()

    def hang(seen: Any) -> Any:
        if seen.path == REPORT:
            ended.wait(60)
        return standin.answer(seen)

    standin.override = hang
    assert al.gated("deploy")(lambda: "done")() == "done"
    ended.set()
    assert "could not be reported" in caplog.text


def test_a_method_can_be_gated(al: AgentLattice, standin: StandIn) -> None:
    class Deployer:
        @al.gated("deploy", metadata=lambda self, service: {"by": self.name, "service": service})
        def deploy(self, service: str) -> str:
            return service

        name = "ci"

    assert Deployer().deploy("api") == "api"
    assert standin.requests("POST", "/api/v1/actions")[0].body["metadata"] == {"by": "ci", "service": "api"}


def test_a_generator_is_refused(al: AgentLattice) -> None:
    def generator() -> Iterator[int]:
        yield 1

    async def async_generator() -> AsyncIterator[int]:
        yield 1

    for function in (generator, async_generator):
        with pytest.raises(TypeError, match="generator"):
            al.gated("deploy")(function)
