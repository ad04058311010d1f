"""Grants: only one that is signed, in force, and for exactly this action lets an action pass."""

from __future__ import annotations

import asyncio
import math
from typing import Any, Dict, List

import pytest
import rfc8785
from standin import AGENT, ORG, Signer, b64

from agentlattice import Action, AgentLatticeError, action_digest, verify_grant
from agentlattice.grants import KeySet

ACTION = Action("deploy.production", {"service": "api", "n": 1.5}, [{"type": "pii"}])
SIGNER = Signer()
KEYS = {"keys": [SIGNER.jwk()]}


def granted(**claims: Any) -> str:
    return SIGNER.grant(ACTION, "evt_1", "apr_1", **claims)


def with_another_signature(token: str) -> str:
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def test_a_good_grant_is_read() -> None:
    claims = verify_grant(granted(), KEYS, ACTION, approval_id="apr_1", audit_event_id="evt_1", org_id=ORG)
    assert (claims.agent_id, claims.org_id, claims.approval_id, claims.grant_id) == (AGENT, ORG, "apr_1", "g1")
    assert claims.action_digest == action_digest(ACTION, agent_id=AGENT, org_id=ORG)


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        (None, "no grant"),
        ("", "no grant"),
        ("a.b", "not a compact JWS"),
        ("a.b.c", "cannot be read"),
        (granted() + ".x", "not a compact JWS"),
        (granted() + "é", "not a compact JWS"),
        (SIGNER.sign({}, {"alg": "EdDSA"}), "names no key"),
        (SIGNER.sign({}, {"alg": "EdDSA", "kid": "other"}), "no key that the system publishes"),
        (SIGNER.sign({}, {"alg": "none", "kid": "k1"}), "not signed with EdDSA"),
        (SIGNER.sign({}, {"alg": "EdDSA", "kid": "k1", "crit": ["x"]}), "not signed with EdDSA"),
        (Signer().grant(ACTION, "evt_1", "apr_1"), "signature of the grant is wrong"),
        (with_another_signature(granted()), "signature of the grant is wrong"),
        (granted().replace(".", ".e", 1), "signature of the grant is wrong"),
        (granted() + "=", "signature of the grant is wrong"),
        (SIGNER.sign({"sub": AGENT}), "cannot be read"),
        (granted(exp=True), "cannot be read"),
        (granted(exp="9999999999"), "cannot be read"),
        (granted(exp=math.nan), "cannot be read"),
        (granted(exp=math.inf), "cannot be read"),
        (granted(approval_id=7), "cannot be read"),
        (granted(approval_id="apr_2"), "another request"),
        (granted(approval_id=None), "another request"),
        (granted(event_id="evt_2"), "another request"),
        (granted(action_type="deploy.staging"), "another action"),
        (granted(action_digest="x"), "another action"),
        (granted(sub="agt_2"), "another action"),
        (granted(org_id="org_2"), "another action"),
        (granted(exp=0), "has run out"),
    ],
)
def test_a_bad_grant_is_refused(token: Any, fault: str) -> None:
    with pytest.raises(AgentLatticeError, match=fault) as raised:
        verify_grant(token, KEYS, ACTION, approval_id="apr_1", audit_event_id="evt_1")
    assert raised.value.code == "GRANT_INVALID"


@pytest.mark.parametrize(
    "other",
    [
        Action("deploy.production", {"service": "api", "n": 1.25}, [{"type": "pii"}]),
        Action("deploy.production", {"service": "api", "n": 1.5}),
        Action("deploy.production", {"service": "api", "n": "1.5"}, [{"type": "pii"}]),
        Action("Deploy.production", {"service": "api", "n": 1.5}, [{"type": "pii"}]),
    ],
)
def test_a_grant_is_for_one_payload(other: Action) -> None:
    with pytest.raises(AgentLatticeError, match="another action"):
        verify_grant(granted(), KEYS, other)


def test_a_grant_without_approval_is_compared_with_null() -> None:
    token = SIGNER.grant(ACTION, "evt_1", None)
    assert verify_grant(token, KEYS, ACTION, approval_id=None).approval_id is None
    with pytest.raises(AgentLatticeError, match="another request"):
        verify_grant(token, KEYS, ACTION, approval_id="apr_1")


def test_what_is_given_is_compared() -> None:
    for wrong in ({"agent_id": "agt_2"}, {"org_id": "org_2"}, {"audit_event_id": "evt_2"}):
        with pytest.raises(AgentLatticeError, match="another request"):
            verify_grant(granted(), KEYS, ACTION, **wrong)  # type: ignore[arg-type]


def test_the_clock_may_be_ahead_by_five_seconds() -> None:
    token = granted(exp=1000)
    assert verify_grant(token, KEYS, ACTION, now=1004.9).expires_at == 1000
    with pytest.raises(AgentLatticeError, match="run out"):
        verify_grant(token, KEYS, ACTION, now=1005)


@pytest.mark.parametrize(
    "key",
    [
        {**SIGNER.jwk(), "kty": "EC"},
        {**SIGNER.jwk(), "crv": "X25519"},
        {**SIGNER.jwk(), "x": None},
        {**SIGNER.jwk(), "x": b64(b"short")},
    ],
)
def test_a_key_of_another_kind_verifies_nothing(key: Dict[str, Any]) -> None:
    with pytest.raises(AgentLatticeError) as raised:
        verify_grant(granted(), [key], ACTION)
    assert raised.value.code == "GRANT_INVALID"


@pytest.mark.anyio
async def test_keys_are_fetched_once_and_anew_for_an_unknown_key() -> None:
    newer = Signer("k2")
    answers: List[List[Dict[str, Any]]] = [[SIGNER.jwk()], [SIGNER.jwk(), newer.jwk()], [SIGNER.jwk()]]

    async def fetch() -> List[Dict[str, Any]]:
        return answers.pop(0)

    keys = KeySet(fetch)
    for _ in range(3):
        await keys.verify(granted(), ACTION, approval_id="apr_1", audit_event_id="evt_1")
    assert len(answers) == 2
    token = newer.grant(ACTION, "evt_1", "apr_1")
    await keys.verify(token, ACTION, approval_id="apr_1", audit_event_id="evt_1")
    assert len(answers) == 1
    unknown = Signer("k3").grant(ACTION, "evt_1", "apr_1")
    with pytest.raises(AgentLatticeError, match="no key that the system publishes"):
        await keys.verify(unknown, ACTION, approval_id="apr_1", audit_event_id="evt_1")
    assert answers == []


@pytest.mark.anyio
async def test_a_key_that_is_no_longer_published_is_soon_not_trusted() -> None:
    published = [SIGNER.jwk()]
    now = [0.0]

    async def fetch() -> List[Dict[str, Any]]:
        return list(published)

    keys = KeySet(fetch, lambda: now[0])
    await keys.verify(granted(), ACTION, approval_id="apr_1", audit_event_id="evt_1")
    published[:] = [Signer("k2").jwk()]
    now[0] = 299.0
    await keys.verify(granted(), ACTION, approval_id="apr_1", audit_event_id="evt_1")
    now[0] = 300.0
    with pytest.raises(AgentLatticeError, match="no key that the system publishes"):
        await keys.verify(granted(), ACTION, approval_id="apr_1", audit_event_id="evt_1")


@pytest.mark.anyio
async def test_gates_that_pass_at_once_share_a_fetch() -> None:
    newer = Signer("k2")
    published = [[SIGNER.jwk()], [SIGNER.jwk(), newer.jwk()]]
    asked = asyncio.Event()

    async def fetch() -> List[Dict[str, Any]]:
        keys = published.pop(0)
        if len(published) == 1:
            await asked.wait()
        return keys

    keys = KeySet(fetch)

    async def verify(token: str) -> None:
        await keys.verify(token, ACTION, approval_id="apr_1", audit_event_id="evt_1")

    waiting = [asyncio.create_task(verify(granted())) for _ in range(10)]
    # This one is signed by a key that was published after the fetch began.
    waiting.append(asyncio.create_task(verify(newer.grant(ACTION, "evt_1", "apr_1"))))
    await asyncio.sleep(0)
    asked.set()
    await asyncio.gather(*waiting)
    assert published == []


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, "é"]}, '{"a":[true,null,"é"],"b":1}'),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7},
         '{"\\r":2,"1":4,"\x80":6,"\u00f6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'),
        ([1.0, -0.0, 333333333.33333329, 1e30, 4.5, 2e-3, 1e-27], "[1,0,333333333.3333333,1e+30,4.5,0.002,1e-27]"),
        ([1e21, 1e20, 5e-324, 1e-7], "[1e+21,100000000000000000000,5e-324,1e-7]"),
    ],
)  # fmt: skip
def test_the_canonical_form_is_that_of_rfc_8785(value: Any, text: str) -> None:
    assert rfc8785.dumps(value) == text.encode()


def test_an_action_is_a_copy_and_the_same_for_equal_json() -> None:
    metadata: Dict[Any, Any] = {"list": (1, 2), 3: "key"}
    action = Action("a", metadata)
    metadata["list"] = "changed"
    assert action.metadata == {"list": [1, 2], "3": "key"}
    assert Action("a", {"n": 1}).digest("x", "y") == Action("a", {"n": 1.0}).digest("x", "y")


@pytest.mark.parametrize("value", [math.nan, math.inf, {1, 2}, object(), 2**53, 10**400, "\ud800"])
def test_what_is_no_json_is_refused_before_it_is_sent(value: Any) -> None:
    with pytest.raises(AgentLatticeError) as raised:
        Action("a", {"v": value})
    assert raised.value.code == "INVALID_JSON_VALUE"


def test_a_value_that_holds_itself_is_refused() -> None:
    value: List[Any] = []
    value.append(value)
    with pytest.raises(AgentLatticeError) as raised:
        Action("a", {"v": value})
    assert raised.value.code == "INVALID_JSON_VALUE"
