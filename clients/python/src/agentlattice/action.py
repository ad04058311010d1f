"""An action as it is submitted, and its digest, by which a grant names it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Dict, List

import rfc8785

from agentlattice.errors import AgentLatticeError


@dataclass(frozen=True)
class Action:
    """What an agent wants to do: a type, and the two JSON values that people and policies judge it by.

    The values are copied, so changing them later does not change the action. Raises AgentLatticeError
    (INVALID_JSON_VALUE) for what JSON cannot hold: NaN, dates, sets, and integers that other programs read wrongly.
    """

    action_type: str
    metadata: Dict[str, Any] = field(default_factory=dict)
    data_accessed: List[Dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.action_type, str) or not self.action_type:
            raise AgentLatticeError("INVALID_ARGUMENT", "action_type must be a text that is not empty")
        object.__setattr__(self, "metadata", json_copy(self.metadata or {}, "metadata"))
        object.__setattr__(self, "data_accessed", json_copy(self.data_accessed or [], "data_accessed"))

    def digest(self, agent_id: str, org_id: str) -> str:
        """base64url(SHA-256(RFC 8785 of the five members)), without padding."""
        text = rfc8785.dumps(
            {
                "action_type": self.action_type,
                "agent_id": agent_id,
                "data_accessed": self.data_accessed,
                "metadata": self.metadata,
                "org_id": org_id,
            }
        )
        return base64.urlsafe_b64encode(hashlib.sha256(text).digest()).rstrip(b"=").decode()


def action_digest(action: Action, *, agent_id: str, org_id: str) -> str:
    """The digest that the grant of this action carries as `action_digest`."""
    return action.digest(agent_id, org_id)


def json_copy(value: Any, name: str) -> Any:
    """The value as JSON holds it: tuples become lists, keys become texts. Raises INVALID_JSON_VALUE."""
    try:
        copied = json.loads(json.dumps(value, allow_nan=False))
        # Also refuses what has no canonical form: lone surrogates, and integers that are not exact as doubles.
        rfc8785.dumps(copied)
    except (TypeError, ValueError, RecursionError) as error:
        raise AgentLatticeError(
            "INVALID_JSON_VALUE", f"{name} is not JSON that every program reads: {error}"
        ) from error
    return copied


def encoded(body: Any) -> bytes:
    """A body as it is sent. Floats stay floats (`1e+16`): the server refuses integers of that size."""
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise AgentLatticeError("INVALID_JSON_VALUE", f"The request is not JSON: {error}") from error
