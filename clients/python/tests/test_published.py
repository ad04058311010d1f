"""Programs written against the published client `agentlattice` 0.4.2 run with this package."""

from __future__ import annotations

import asyncio
import copy
import dataclasses
import inspect
import pickle
from typing import Any, Dict, List

import pytest
from standin import StandIn

import agentlattice
import agentlattice.client
from agentlattice import (
    ActionOptions,
    ActionResult,
    AgentLattice,
    AgentLatticeConnectionError,
    AgentLatticeDeniedError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
    ApprovalDeniedError,
    ApprovalTimeoutError,
    ConditionResult,
    ReportOutcome,
)

#: The fields of the published dataclasses, in the order of their constructors.
FIELDS: Dict[str, str] = {
    "ActionResult": (
        "status audit_event_id approval_id message timeout_at denial_reason policy_name conditions_evaluated"
    ),
    "ActionOptions": "data_accessed metadata event_id",
    "ConditionResult": "field operator expected result",
    "PolicySummary": "id name action_type approval_required has_conditions version created_at",
    "DelegationEntry": "id scope expires_at active parent_config_id child_config_id",
    "WhoamiResult": "config_id name org_id is_active cb_state calibration policies delegations",
    "PoliciesResult": "scope policies",
    "CanIResult": "allowed needs_approval action_type policy_name reason conditions_evaluated",
    "AuditEvent": (
        "id action_type status timestamp created_at data_accessed repo branch pr_number policy_id policy_version"
    ),
    "AuditResult": "events next_cursor",
    "VerifyResult": (
        "org_id chain_valid verified_through_row chain_hash verified_from_checkpoint timestamp first_broken_at_row_id"
    ),
    "DelegationsResult": "delegations",
    "RevokeResult": "revoked delegation_id",
    "ReportOutcome": "status message metadata",
    "ReportResult": "audit_event_id status reported_at",
    "PostureComponent": "score max extra",
    "PostureResult": "score components",
    "GovernanceEvent": "event_type timestamp org_id data agent_id",
}
#: Parameters by which published programs call the methods.
PARAMETERS: Dict[str, str] = {
    "__init__": "self api_key base_url gate_poll_timeout_ms gate_poll_interval_ms",
    "execute": "self action_type options",
    "gate": "self action_type options",
    "can_i": "self action_type",
    "policies": "self scope",
    "audit": "self cursor limit action_type",
    "delegations": "self role active_only",
    "revoke": "self delegation_id",
    "report": "self audit_event_id outcome",
    "subscribe": "self org_id callback events agent_filter",
    "delegate": "self name capabilities ttl",
    "delegate_sync": "self name capabilities ttl",
    "register": "service_key name description base_url gate_poll_timeout_ms gate_poll_interval_ms",
}
OTHER_NAMES = "DelegatedAgent DelegationContext SyncDelegationContext ParallelDelegation SyncParallelDelegation"


@pytest.mark.parametrize("name", FIELDS)
def test_dataclasses_begin_with_the_published_fields(name: str) -> None:
    fields = [f.name for f in dataclasses.fields(getattr(agentlattice, name))]
    wanted = FIELDS[name].split()
    assert fields[: len(wanted)] == wanted
    assert getattr(agentlattice.client, name) is getattr(agentlattice, name)


@pytest.mark.parametrize("name", PARAMETERS)
def test_methods_take_the_published_arguments(name: str) -> None:
    parameters = list(inspect.signature(getattr(AgentLattice, name)).parameters)
    wanted = PARAMETERS[name].split()
    assert parameters[: len(wanted)] == wanted


def test_the_other_names_are_there() -> None:
    for name in OTHER_NAMES.split():
        assert getattr(agentlattice.client, name) is getattr(agentlattice, name)
    assert set(agentlattice.__all__) <= set(dir(agentlattice))


def test_what_the_published_constructor_required_is_given_by_default() -> None:
    assert ActionResult("executed", "evt_1").conditions_evaluated == []
    assert ActionOptions() == ActionOptions(None, None, None)


def test_errors_have_both_names_and_the_published_arguments() -> None:
    assert ApprovalDeniedError is AgentLatticeDeniedError
    assert ApprovalTimeoutError is AgentLatticeTimeoutError
    denied = AgentLatticeDeniedError("apr_1", "DENIED_BY_REVIEWER", "p", [ConditionResult("f", "lt", 1, False)])
    assert (denied.code, denied.approval_id, denied.policy) == ("ACTION_DENIED", "apr_1", "p")
    assert AgentLatticeDeniedError(None).conditions == []
    timeout = AgentLatticeTimeoutError("apr_1")
    assert (timeout.code, timeout.approval_id) == ("APPROVAL_TIMEOUT", "apr_1")
    plain = AgentLatticeError("CODE", "message", {"x": 1})
    assert (str(plain), plain.details, plain.status, plain.request_id) == ("message", {"x": 1}, None, None)


@pytest.mark.parametrize(
    "error",
    [
        AgentLatticeError("CODE", "message", {"x": 1}, status=409, request_id="r"),
        AgentLatticeDeniedError("apr_1", "DENIED_BY_REVIEWER", "p", [ConditionResult("f", "lt", 1, False)], "no"),
        AgentLatticeTimeoutError("apr_1"),
        AgentLatticeConnectionError("away"),
    ],
)
def test_errors_travel_between_processes(error: AgentLatticeError) -> None:
    for arrived in (pickle.loads(pickle.dumps(error)), copy.copy(error)):  # noqa: S301
        assert type(arrived) is type(error)
        assert str(arrived) == str(error)
        assert vars(arrived) == vars(error)


async def _published_program(al: AgentLattice) -> List[Any]:
    """The calls of the published README."""
    result = await al.execute(
        "pr.open",
        ActionOptions(
            data_accessed=[{"type": "source_code", "count": 5, "sensitivity": "low"}],
            metadata={"pr_number": 42},
            event_id="my-idempotency-key",
        ),
    )
    await al.gate("pr.merge")
    info = await al.whoami()
    policies = (await al.policies(scope="org")).policies
    check = await al.can_i("pr.merge")
    page = await al.audit(limit=50, action_type="pr.merge")
    second = await al.audit(cursor=page.next_cursor)
    chain = await al.verify()
    listed = await al.delegations(role="parent", active_only=False)
    revoked = await al.revoke("del_1")
    report = await al.report("evt_1", ReportOutcome(status="success", message="Deployed to prod"))
    posture = await al.posture()
    assert (result.status, info.cb_state, policies[0].name) == ("executed", "closed", "the policy")
    assert (check.allowed, page.events[0].id, second.next_cursor) == (True, "evt_1", "c2")
    assert (chain.chain_valid, listed.delegations[0].active, revoked.revoked) == (True, False, True)
    assert (report.reported_at[:4], posture.components["audit"].extra) == ("2026", {"note": "fine"})
    return [result, info, page]


def test_the_calls_of_the_published_readme(standin: StandIn) -> None:
    standin.policies.update({"pr.open": "allow", "pr.merge": "allow"})

    async def main() -> List[Any]:
        async with AgentLattice(api_key="al_1", base_url=standin.base_url) as al:
            return await _published_program(al)

    asyncio.run(main())
    paths = [seen.path for seen in standin.seen]
    assert "/api/v1/audit?limit=50&action_type=pr.merge" in paths
    assert "/api/v1/audit?cursor=c2" in paths
    assert "/api/v1/delegations?role=parent&active_only=false" in paths
    assert "/api/v1/policies?scope=org" in paths


def test_registering_gives_a_client_with_the_new_key(standin: StandIn) -> None:
    client, config = AgentLattice.register_sync("al_svc_1", "bot", description="reads", base_url=standin.base_url)
    assert config == {"id": "agt_1", "name": "bot", "api_key": "al_agent_new", "created_at": "2026-01-01T00:00:00Z"}
    with client:
        client.whoami_sync()
    first, second = standin.seen
    assert (first.headers["authorization"], first.body) == ("Bearer al_svc_1", {"name": "bot", "description": "reads"})
    assert second.headers["authorization"] == "Bearer al_agent_new"


def test_what_is_given_by_name_stands_above_the_options(standin: StandIn) -> None:
    standin.policies["read"] = "allow"
    with AgentLattice("k", standin.base_url) as al:
        options = ActionOptions(metadata={"from": "options"}, event_id="e1")
        al.execute_sync("read", options, metadata={"from": "name"})
        al.can_i_sync("read", metadata={"n": 1}, data_accessed=[{"type": "pii"}])
    submitted, checked = standin.seen
    assert submitted.body["metadata"] == {"from": "name"}
    assert submitted.headers["x-al-event-id"] == "e1"
    assert checked.body == {"action_type": "read", "metadata": {"n": 1}, "data_accessed": [{"type": "pii"}]}


def test_an_operator_lists_and_decides(standin: StandIn) -> None:
    standin.policies["deploy"] = "ask"
    with AgentLattice("k", standin.base_url) as al:
        for event_id in ("e1", "e2"):
            al.execute_sync("deploy", metadata={"service": "api"}, event_id=event_id)
        pending = al.list_pending_approvals_sync()
        assert [(p.id, p.agent["name"], p.metadata) for p in pending] == [
            (f"apr_{event_id}", "deploy-bot", {"service": "api"}) for event_id in ("e1", "e2")
        ]
        assert len(al.list_pending_approvals_sync(limit=1)) == 1
        assert al.approve_action_sync("apr_e1", reason="fine").status == "approved"
        assert al.deny_action_sync("apr_e2", reason="not now").denial_reason == "DENIED_BY_REVIEWER"
        assert al.list_pending_approvals_sync() == []
        with pytest.raises(AgentLatticeError, match="must be an id"):
            al.approve_action_sync("")
    assert standin.requests("POST", "/api/v1/approvals/apr_e1/approve")[0].body == {"scope": "once", "reason": "fine"}
