"""Delegations, against the requests of the contract."""

from __future__ import annotations

import asyncio
from typing import Any, Callable, Dict

import pytest
from standin import StandIn

from agentlattice import ActionOptions, AgentLattice, AgentLatticeError, DelegatedAgent, DelegationContext

Json = Dict[str, Any]
Script = Callable[..., str]


def make(number: int = 1) -> Json:
    return {
        "request": {
            "method": "POST",
            "path": "/api/v1/delegate",
            "headers": {"authorization": "Bearer al_agent_parent", "x-al-delegation-id": None},
            "body": {"name": f"reader-{number}", "capabilities": ["db.read"], "ttl_seconds": 60},
        },
        "answer": {"status": 201, "body": {"delegation_id": f"del_{number}", "child_api_key": f"al_child_{number}"}},
    }


def end(number: int = 1, **answer: Any) -> Json:
    request = {"method": "DELETE", "path": f"/api/v1/delegate/del_{number}"}
    request["headers"] = {"authorization": "Bearer al_agent_parent"}  # type: ignore[assignment]
    return {"request": request, "answer": {"status": 200, "body": {}, **answer}}


def act(number: int = 1, **answer: Any) -> Json:
    body = {"status": "executed", "verdict": "executed", "audit_event_id": "evt_1", "conditions_evaluated": []}
    headers = {"authorization": f"Bearer al_child_{number}", "x-al-delegation-id": f"del_{number}"}
    return {
        "request": {"method": "POST", "path": "/api/v1/actions", "headers": headers},
        "answer": {"status": 200, "body": {**body, **answer}},
    }


def parent(base_url: str) -> AgentLattice:
    return AgentLattice("al_agent_parent", base_url, retry_for=0)


def test_a_delegation_ends_with_its_block(script: Script) -> None:
    base_url = script(make(), act(), end())
    with parent(base_url) as al:
        with al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60) as sub:
            assert sub.delegation_id == "del_1"
            assert sub.execute_sync("db.read", ActionOptions(metadata={"n": 1})).status == "executed"


def test_a_delegation_ends_when_the_block_fails(script: Script) -> None:
    base_url = script(make(), end())
    with parent(base_url) as al:
        with pytest.raises(ValueError, match="mine"):
            with al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60):
                raise ValueError("mine")


def test_the_gate_of_a_child_waits_and_verifies_like_any_other(script: Script) -> None:
    requested: Json = {"status": "requested", "verdict": "pending_approval", "approval_id": "apr_1", "policy_name": "p"}
    claims = {"approval_id": "apr_1", "event_id": "evt_1", "$action": {"action_type": "db.read"}}
    approved = {"status": "approved", "approval_id": "apr_1", "grant": {"$grant": claims}}
    headers = {"authorization": "Bearer al_child_1", "x-al-delegation-id": "del_1"}
    base_url = script(
        make(),
        act(**requested),
        {
            "request": {"method": "GET", "path": "/api/v1/approvals/apr_1/status", "headers": headers},
            "answer": {"status": 200, "body": approved},
        },
        end(),
    )
    with parent(base_url) as al:
        with al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60) as sub:
            assert sub.gate_sync("db.read").approval_id == "apr_1"


def test_a_child_delegates_further_with_its_own_key(script: Script) -> None:
    inner: Json = {
        "request": {
            "method": "POST",
            "path": "/api/v1/delegate",
            "headers": {"authorization": "Bearer al_child_1"},
            "body": {"name": "inner", "capabilities": ["db.read.orders"], "ttl_seconds": 30},
        },
        "answer": {"status": 201, "body": {"delegation_id": "del_2", "child_api_key": "al_child_2"}},
    }
    inner_end = end(2)
    inner_end["request"]["headers"] = {"authorization": "Bearer al_child_1"}
    base_url = script(make(), inner, act(2), inner_end, end())

    async def main() -> None:
        async with parent(base_url) as al:
            async with al.delegate("reader-1", capabilities=["db.read"], ttl=60) as sub:
                async with sub.delegate("inner", capabilities=["db.read.orders"], ttl=30) as further:
                    await further.execute("db.read.orders")

    asyncio.run(main())


def test_a_delegation_that_has_ended_already_is_no_fault(script: Script) -> None:
    base_url = script(make(), end(status=404, body={"error": "NOT_FOUND", "message": "ended"}))
    with parent(base_url) as al:
        with al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60):
            pass


def test_a_delegation_that_cannot_be_ended_is_told(script: Script) -> None:
    base_url = script(make(), end(status=403, body={"error": "FORBIDDEN", "message": "no"}))
    with parent(base_url) as al, pytest.warns(UserWarning, match="del_1 could not be ended"):
        with al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60):
            pass


def test_a_delegation_is_not_made_twice(script: Script) -> None:
    base_url = script({**make(), "answer": "drop"})
    with AgentLattice("al_agent_parent", base_url, retry_for=10) as al:
        with pytest.raises(AgentLatticeError) as raised:
            al.delegate_sync("reader-1", capabilities=["db.read"], ttl=60).__enter__()
    assert raised.value.code == "NETWORK_ERROR"


def test_delegations_at_once(standin: StandIn) -> None:
    standin.policies["db.read"] = "allow"

    async def main() -> None:
        async with AgentLattice("k", standin.base_url) as al:
            wanted = [al.delegate(f"reader-{n}", capabilities=["db.read"], ttl=60) for n in range(3)]
            async with AgentLattice.parallel(*wanted) as agents:
                results = await asyncio.gather(*(agent.execute("db.read") for agent in agents))
        assert [result.status for result in results] == ["executed"] * 3

    asyncio.run(main())
    with AgentLattice("k", standin.base_url) as al:
        wanted = al.delegate("reader", capabilities=["db.read"], ttl=60)
        with AgentLattice.parallel_sync(wanted) as [only]:
            assert isinstance(only, DelegatedAgent)
    assert len(standin.requests("DELETE", "/api/v1/delegate/del_1")) == 4


def test_when_one_of_several_fails_the_others_end(standin: StandIn) -> None:
    def refuse_the_second(seen: Any) -> Any:
        if seen.path == "/api/v1/delegate" and seen.body["name"] == "second":
            return 403, {"error": "DELEGATION_SCOPE", "message": "more than the parent has"}
        return standin.answer(seen)

    standin.override = refuse_the_second
    with AgentLattice("k", standin.base_url) as al:
        wanted = [al.delegate(name, capabilities=["db.read"], ttl=60) for name in ("first", "second", "third")]
        with pytest.raises(AgentLatticeError) as raised:
            AgentLattice.parallel_sync(*wanted).__enter__()
    assert raised.value.code == "DELEGATION_SCOPE"
    assert len(standin.requests("DELETE", "/api/v1/delegate/del_1")) == 2


def test_what_makes_no_sense_is_refused_before_it_is_sent() -> None:
    al = AgentLattice("k", "http://127.0.0.1:9")
    for context in (al.delegate, al.delegate_sync):
        with pytest.raises(AgentLatticeError, match="capabilities") as raised:
            context("x", capabilities=[], ttl=60)
        assert raised.value.code == "INVALID_CAPABILITIES"
        with pytest.raises(AgentLatticeError, match="ttl") as raised:
            context("x", capabilities=["a"], ttl=0)
        assert raised.value.code == "INVALID_TTL"


def test_the_classes_can_be_made_without_a_client(standin: StandIn) -> None:
    standin.policies["db.read"] = "allow"

    async def main() -> None:
        context = DelegationContext("al_agent_parent", standin.base_url, "reader", ["db.read"], 60)
        async with context:
            agent = DelegatedAgent("al_child", standin.base_url, "del_9", "al_agent_parent")
            assert (await agent.execute("db.read")).status == "executed"
            await agent._transport.connections.aclose()
        await context._parent._transport.connections.aclose()

    asyncio.run(main())
    assert standin.requests("POST", "/api/v1/actions")[0].headers["x-al-delegation-id"] == "del_9"
