"""An action as it is submitted, and its digest, by which a grant names it."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Dict, List

import rfc8785

from agentlattice.errors import AgentLatticeError

#: Integers beyond this do not survive programs that read JSON numbers as doubles.
_LARGEST_EXACT = 2**53 - 1


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
        text = canonical(
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
        return _exact(json.loads(json.dumps(value, allow_nan=False)))
    except (TypeError, ValueError, RecursionError) as error:
        raise AgentLatticeError("INVALID_JSON_VALUE", f"{name} is not JSON: {error}") from error


def canonical(value: Any) -> bytes:
    """The RFC 8785 form. Raises INVALID_JSON_VALUE."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise AgentLatticeError("INVALID_JSON_VALUE", f"The value has no canonical form: {error}") from error


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _exact(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_exact(member) for member in value]
    if isinstance(value, int) and abs(value) > _LARGEST_EXACT:
        # 10**16 is exact as a double and 2**53 + 1 is not.
        if abs(value) > 10**300 or int(float(value)) != value:
            raise ValueError(f"the integer {str(value)[:40]} is not exact as a double; send it as a text")
        return float(value)
    return value
