"""Grants: signed statements that exactly this action was cleared. They are verified here, without asking the server."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from dataclasses import dataclass
from enum import Enum
from typing import Any, Callable, Coroutine, Dict, List, NoReturn, Optional, Union

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from agentlattice.action import Action
from agentlattice.errors import AgentLatticeError

#: How far this machine's clock may be ahead of the server's, in seconds.
LEEWAY_S = 5.0

Jwk = Dict[str, Any]


class Unchecked(Enum):
    """Says that a claim is not compared."""

    UNCHECKED = "unchecked"


UNCHECKED = Unchecked.UNCHECKED


@dataclass(frozen=True)
class GrantClaims:
    """What a grant says.

    approval_id: the request that a person decided; None when a policy allowed the action.
    event_id: the audit event of the submission. issued_at, expires_at: seconds since 1970.
    grant_id: the claim `jti`. raw: all claims.
    """

    agent_id: str
    org_id: str
    approval_id: Optional[str]
    event_id: str
    action_type: str
    action_digest: str
    expires_at: float
    issued_at: Optional[float]
    grant_id: Optional[str]
    raw: Dict[str, Any]


def verify_grant(
    token: Optional[str],
    keys: Union[Dict[str, Any], List[Jwk]],
    action: Action,
    *,
    approval_id: Union[str, Unchecked, None] = UNCHECKED,
    audit_event_id: Union[str, Unchecked] = UNCHECKED,
    agent_id: Union[str, Unchecked] = UNCHECKED,
    org_id: Union[str, Unchecked] = UNCHECKED,
    now: Optional[float] = None,
) -> GrantClaims:
    """Verifies that a grant is in force and was given for exactly this action.

    token: the compact JWS. keys: the answer of `/.well-known/jwks.json`, or its list of keys.
    approval_id (None: no person was asked), audit_event_id, agent_id, org_id: compared where they are given.
    now: seconds since 1970; the clock of this machine by default.

    A grant can be verified many times; a program that executes an action that must happen once also consumes it
    (`POST /api/v1/grants/consume`).

    Raises AgentLatticeError with the code GRANT_INVALID and a message that says what is wrong.
    """
    claims = _read_claims(_signed_payload(token, keys))
    compared = (
        (claims.approval_id, approval_id),
        (claims.event_id, audit_event_id),
        (claims.agent_id, agent_id),
        (claims.org_id, org_id),
    )
    if any(wanted is not UNCHECKED and found != wanted for found, wanted in compared):
        _invalid("the grant is for another request")
    if claims.action_type != action.action_type or claims.action_digest != action.digest(
        claims.agent_id, claims.org_id
    ):
        _invalid("the grant is for another action")
    if not claims.expires_at + LEEWAY_S > (time.time() if now is None else now):
        _invalid("the grant has run out; ask anew")
    return claims


#: A key that the system no longer publishes is not trusted for longer than this.
KEPT_S = 300


class KeySet:
    """The published keys, fetched when first needed, when a grant names an unknown key, and when they are old."""

    def __init__(
        self, fetch: Callable[[], Coroutine[Any, Any, List[Jwk]]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._keys: List[Jwk] = []
        self._known_until = 0.0
        #: The fetch under way on each event loop; many gates that pass at once share it.
        self._fetching: Dict[asyncio.AbstractEventLoop, asyncio.Task[List[Jwk]]] = {}

    async def verify(
        self, token: Optional[str], action: Action, *, approval_id: Optional[str], audit_event_id: str
    ) -> GrantClaims:
        """As `verify_grant`, with the keys of the server. Raises also when the keys cannot be fetched."""
        kid = _header(token).get("kid")
        if not self._knows(kid):
            shared = await self._refresh()
            if shared and not self._knows(kid):
                await self._refresh()  # The other fetch may have begun before the key was published.
        return verify_grant(token, self._keys, action, approval_id=approval_id, audit_event_id=audit_event_id)

    def _knows(self, kid: Any) -> bool:
        is_known = any(isinstance(key, dict) and key.get("kid") == kid for key in self._keys)
        return is_known and self._clock() < self._known_until

    async def _refresh(self) -> bool:
        """Fetches the keys. Returns whether it was a fetch that had begun before."""
        loop = asyncio.get_running_loop()
        fetching = self._fetching.get(loop)
        shared = fetching is not None
        if fetching is None:
            fetching = self._fetching[loop] = loop.create_task(self._fetch())
            fetching.add_done_callback(self._fetched)
        self._keys = await asyncio.shield(fetching)
        self._known_until = self._clock() + KEPT_S
        return shared

    def _fetched(self, fetching: asyncio.Task[List[Jwk]]) -> None:
        self._fetching.pop(fetching.get_loop(), None)
        if not fetching.cancelled():
            fetching.exception()  # Read, because every gate that waited for it may have been cancelled.


def _signed_payload(token: Optional[str], keys: Union[Dict[str, Any], List[Jwk]]) -> Dict[str, Any]:
    header = _header(token)
    published = keys.get("keys") if isinstance(keys, dict) else keys
    named = [k for k in published or [] if isinstance(k, dict) and k.get("kid") == header["kid"]]
    if not named:
        _invalid("the grant is signed by no key that the system publishes")
    if header.get("alg") != "EdDSA" or "crit" in header:
        _invalid("the grant is not signed with EdDSA")
    signed, _, signature = str(token).rpartition(".")
    key = named[0]
    if key.get("kty") != "OKP" or key.get("crv") != "Ed25519" or not isinstance(key.get("x"), str):
        _invalid("the key of the grant is not an Ed25519 key")
    try:
        Ed25519PublicKey.from_public_bytes(_bytes_of(key["x"])).verify(_bytes_of(signature), signed.encode())
    except (InvalidSignature, ValueError):
        _invalid("the signature of the grant is wrong")
    return _object(signed.split(".")[1])


def _header(token: Optional[str]) -> Dict[str, Any]:
    if not isinstance(token, str) or not token:
        _invalid("the answer carries no grant")
    parts = token.split(".")
    if len(parts) != 3 or not token.isascii():
        _invalid("the grant is not a compact JWS")
    header = _object(parts[0])
    if not isinstance(header.get("kid"), str):
        _invalid("the grant names no key")
    return header


def _read_claims(said: Dict[str, Any]) -> GrantClaims:
    texts = {name: said.get(name) for name in ("sub", "org_id", "event_id", "action_type", "action_digest")}
    expires, approval_id = said.get("exp"), said.get("approval_id")
    if (
        any(not isinstance(text, str) for text in texts.values())
        or isinstance(expires, bool)
        or not isinstance(expires, (int, float))
        or "approval_id" not in said
        or not (approval_id is None or isinstance(approval_id, str))
    ):
        _invalid("the grant cannot be read")
    return GrantClaims(
        agent_id=str(texts["sub"]),
        org_id=str(texts["org_id"]),
        approval_id=approval_id,
        event_id=str(texts["event_id"]),
        action_type=str(texts["action_type"]),
        action_digest=str(texts["action_digest"]),
        expires_at=float(expires),
        issued_at=said.get("iat"),
        grant_id=said.get("jti"),
        raw=said,
    )


def _object(part: str) -> Dict[str, Any]:
    def not_json(text: str) -> NoReturn:
        raise ValueError(text)

    try:
        value = json.loads(_bytes_of(part), parse_constant=not_json)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        _invalid("the grant cannot be read")
    return value


def _bytes_of(part: str) -> bytes:
    """Strict base64url without padding; Python's own decoder skips characters that do not belong there."""
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError("not base64url") from error
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode() != part:
        raise ValueError("not base64url")
    return decoded


def _invalid(fault: str) -> NoReturn:
    raise AgentLatticeError("GRANT_INVALID", f"The grant does not let this action pass: {fault}", fault)
