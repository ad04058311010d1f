"""The methods that read what the server knows, and the report of an outcome."""

from __future__ import annotations

from typing import Any, Dict, Optional

from agentlattice.action import json_copy
from agentlattice.introspection_models import (
    AuditResult,
    DelegationsResult,
    PoliciesResult,
    PostureResult,
    RevokeResult,
    VerifyResult,
    WhoamiResult,
)
from agentlattice.models import ReportOutcome, ReportResult, read
from agentlattice.sync import sync_twin
from agentlattice.transport import Request, Transport

#: The most events that the server gives at once.
_LARGEST_PAGE = 200


class Introspection:
    """Part of AgentLattice. Each method raises AgentLatticeError with the server's code when it is refused."""

    _transport: Transport

    async def _get(self, path: str, query: Optional[Dict[str, Optional[str]]] = None) -> Any:
        return await self._transport.send(Request("GET", path, query=query))

    async def whoami(self) -> WhoamiResult:
        """Identity, policies and delegations of this agent."""
        return read(WhoamiResult.from_dict, await self._get("/api/v1/whoami"))

    async def policies(self, *, scope: Optional[str] = None) -> PoliciesResult:
        """Policies. scope: `own` (default; those that concern this agent) or `org` (all)."""
        return read(PoliciesResult.from_dict, await self._get("/api/v1/policies", {"scope": scope or None}))

    async def audit(
        self, *, cursor: Optional[str] = None, limit: Optional[int] = None, action_type: Optional[str] = None
    ) -> AuditResult:
        """A page of the audit trail. cursor: `next_cursor` of the page before; limit: at most 200."""
        query = {
            "cursor": cursor or None,
            "limit": None if limit is None else str(min(limit, _LARGEST_PAGE)),
            "action_type": action_type or None,
        }
        return read(AuditResult.from_dict, await self._get("/api/v1/audit", query))

    async def verify(self) -> VerifyResult:
        """Whether the audit log is intact."""
        return read(VerifyResult.from_dict, await self._get("/api/v1/audit/verify"))

    async def posture(self) -> PostureResult:
        """How well the workspace is governed, from 0 to 100."""
        return read(PostureResult.from_dict, await self._get("/api/v1/posture"))

    async def delegations(self, *, role: Optional[str] = None, active_only: Optional[bool] = None) -> DelegationsResult:
        """Delegations. role: `parent` or `child`; active_only=False: also those that have ended."""
        active = None if active_only is None else str(active_only).lower()
        answer = await self._get("/api/v1/delegations", {"role": role or None, "active_only": active})
        return read(DelegationsResult.from_dict, answer)

    async def revoke(self, delegation_id: str) -> RevokeResult:
        """Ends a delegation."""
        body = {"delegation_id": delegation_id}
        answer = await self._transport.send(Request("POST", "/api/v1/delegations/revoke", body=body))
        return read(RevokeResult.from_dict, answer)

    async def report(self, audit_event_id: str, outcome: ReportOutcome) -> ReportResult:
        """Reports how an action went. The last report stands; each one is in the audit trail."""
        return await send_report(self._transport, audit_event_id, outcome)

    whoami_sync = sync_twin(whoami)
    policies_sync = sync_twin(policies)
    audit_sync = sync_twin(audit)
    verify_sync = sync_twin(verify)
    posture_sync = sync_twin(posture)
    delegations_sync = sync_twin(delegations)
    revoke_sync = sync_twin(revoke)
    report_sync = sync_twin(report)


async def send_report(
    transport: Transport, audit_event_id: str, outcome: ReportOutcome, retry_for: Optional[float] = None
) -> ReportResult:
    """POST /api/v1/report."""
    said: Dict[str, Any] = {"status": outcome.status}
    if outcome.message is not None:
        said["message"] = outcome.message
    if outcome.metadata is not None:
        said["metadata"] = json_copy(outcome.metadata, "metadata")
    body = {"audit_event_id": audit_event_id, "outcome": said}
    return read(
        ReportResult.from_dict,
        await transport.send(Request("POST", "/api/v1/report", body=body, retry_for=retry_for)),
    )
