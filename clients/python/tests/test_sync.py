"""The `_sync` twins."""

from __future__ import annotations

import asyncio
import inspect
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from standin import StandIn

from agentlattice import AgentLattice, ApprovalDeniedError, DelegatedAgent
from agentlattice.sync import run_sync


@pytest.mark.parametrize("cls", [AgentLattice, DelegatedAgent])
def test_each_async_method_has_a_twin_with_the_same_arguments(cls: type) -> None:
    methods = [n for n, m in inspect.getmembers(cls, inspect.iscoroutinefunction) if not n.startswith("_")]
    assert "gate" in methods
    for name in sorted(set(methods) - {"aclose"}):
        twin = getattr(cls, f"{name}_sync")
        assert not inspect.iscoroutinefunction(twin), name
        assert twin.__name__ == f"{name}_sync"
        assert twin.__doc__, name


def test_a_twin_works_inside_a_running_loop(standin: StandIn) -> None:
    standin.policies.update({"read": "allow", "wipe": "deny"})

    async def main() -> str:
        with pytest.raises(ApprovalDeniedError):
            al.gate_sync("wipe")
        return al.gate_sync("read").status

    with AgentLattice("k", standin.base_url) as al:
        assert asyncio.run(main()) == "executed"


def test_many_threads_share_a_client(standin: StandIn) -> None:
    standin.policies["read"] = "allow"
    with AgentLattice("k", standin.base_url) as al, ThreadPoolExecutor(8) as threads:
        passed = list(threads.map(lambda n: al.gate_sync("read", event_id=f"e{n}").event_id, range(40)))
    assert passed == [f"e{n}" for n in range(40)]
    assert len([t for t in threading.enumerate() if t.name == "agentlattice-sync"]) == 1


def test_a_twin_on_the_clients_own_loop_is_an_error_and_no_deadlock(standin: StandIn) -> None:
    al = AgentLattice("k", standin.base_url)

    async def on_the_loop() -> None:
        al.whoami_sync()

    with pytest.raises(RuntimeError, match="own event loop"):
        run_sync(on_the_loop())
