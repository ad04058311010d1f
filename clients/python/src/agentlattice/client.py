"""The client. See the class AgentLattice."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Dict, List, Optional, Tuple, Type

from agentlattice.asking import DEFAULT_GATE_LIMIT_MS, Asking
from agentlattice.delegation import (
    DelegatedAgent,
    DelegationContext,
    ParallelDelegation,
    SyncDelegationContext,
    SyncParallelDelegation,
)
from agentlattice.errors import (
    AgentLatticeConnectionError,
    AgentLatticeDeniedError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
)
from agentlattice.grants import GrantClaims
from agentlattice.introspection import Introspection
from agentlattice.introspection_models import (
    AuditEvent,
    AuditResult,
    DelegationEntry,
    DelegationsResult,
    GovernanceEvent,
    PoliciesResult,
    PolicySummary,
    PostureComponent,
    PostureResult,
    RevokeResult,
    VerifyResult,
    WhoamiResult,
)
from agentlattice.models import (
    ActionOptions,
    ActionResult,
    ApprovalStatus,
    CanIResult,
    ConditionResult,
    ConsumedGrant,
    DecisionResult,
    GateResult,
    PendingApproval,
    ReportOutcome,
    ReportResult,
    read,
)
from agentlattice.realtime import EventCallback, Subscriptions
from agentlattice.sync import run_sync, sync_twin
from agentlattice.transport import Request, open_transport, segment

# Existing programs import these names from here.
__all__ = [
    "ActionOptions", "ActionResult", "AgentLattice", "AgentLatticeConnectionError", "AgentLatticeDeniedError",
    "AgentLatticeError", "AgentLatticeTimeoutError", "ApprovalStatus", "AuditEvent", "AuditResult", "CanIResult",
    "ConditionResult", "ConsumedGrant", "DecisionResult", "DelegatedAgent", "DelegationContext", "DelegationEntry",
    "DelegationsResult", "GateResult", "GovernanceEvent", "GrantClaims", "ParallelDelegation", "PendingApproval",
    "PoliciesResult", "PolicySummary", "PostureComponent", "PostureResult", "ReportOutcome", "ReportResult",
    "RevokeResult", "SyncDelegationContext", "SyncParallelDelegation", "VerifyResult", "WhoamiResult",
]  # fmt: skip

DEFAULT_BASE_URL = "http://localhost:3000"
Json = Dict[str, Any]


class AgentLattice(Asking, Introspection):
    """A client for one key. Each async method has a twin with the suffix `_sync`, for programs without asyncio.

    api_key: an agent's key for asking, an operator's for deciding. Default: the environment variable AL_API_KEY.
    base_url: the gateway. Default: the environment variable AL_BASE_URL, else http://localhost:3000.
    gate_poll_timeout_ms: the program's own limit for a `gate`, in milliseconds, more than 0; default 8 hours. When it
        is over, the request is withdrawn and AgentLatticeTimeoutError raised.
    gate_poll_interval_ms: accepted so that existing programs run, and not used. The server holds the answer until
        somebody has decided, so there is no interval.
    retry_for: how long a request is tried again when the system is away, in seconds; 0: not at all.
    timeout: how long one answer may take, in seconds, beside the time that it is held on purpose.

    One client can be used by many tasks and threads. It keeps connections open; `async with`, `with`, `aclose()` and
    `close()` close them.
    """

    def __init__(
        self,
        api_key: Optional[str] = None,
        base_url: Optional[str] = None,
        gate_poll_timeout_ms: int = DEFAULT_GATE_LIMIT_MS,
        gate_poll_interval_ms: int = 5_000,
        *,
        retry_for: float = 60.0,
        timeout: float = 30.0,
    ) -> None:
        transport = open_transport(
            api_key if api_key is not None else os.environ.get("AL_API_KEY", ""),
            base_url or os.environ.get("AL_BASE_URL") or DEFAULT_BASE_URL,
            timeout,
            retry_for,
        )
        super().__init__(transport, gate_poll_timeout_ms)
        self._subscriptions = Subscriptions(transport)

    # Deciding

    async def list_pending_approvals(self, *, limit: Optional[int] = None) -> List[PendingApproval]:
        """The requests that wait for a person, nearest deadline first. limit: at most so many; default all."""
        found: List[PendingApproval] = []
        cursor: Optional[str] = None
        while True:
            query = {"status": "pending", "cursor": cursor, "limit": "200"}
            page = await self._get("/api/v1/approvals", query)
            found += read(lambda d: [PendingApproval.from_dict(a) for a in d["approvals"]], page)
            cursor = page.get("next_cursor")
            if limit is not None and len(found) >= limit:
                return found[:limit]
            if not cursor:
                return found

    async def approve_action(
        self, approval_id: str, reason: Optional[str] = None, scope: str = "once"
    ) -> DecisionResult:
        """Approves a request. scope: `once`, or `forever` (administrators; the policy then allows).

        Not sent again when it is not known whether it took effect. Codes: APPROVAL_ALREADY_DECIDED,
        APPROVAL_TIMED_OUT, ALREADY_VOTED, SELF_APPROVAL, FORBIDDEN, NOT_FOUND.
        """
        body = {"scope": scope, **({} if reason is None else {"reason": reason})}
        return await self._decide(approval_id, "approve", body)

    async def deny_action(self, approval_id: str, reason: Optional[str] = None) -> DecisionResult:
        """Denies a request. The agent is told the reason. Codes and repetition as of `approve_action`."""
        return await self._decide(approval_id, "deny", {} if reason is None else {"reason": reason})

    async def _decide(self, approval_id: str, verb: str, body: Json) -> DecisionResult:
        path = f"/api/v1/approvals/{segment(approval_id, 'approval_id')}/{verb}"
        return read(
            DecisionResult.from_dict,
            await self._transport.send(Request("POST", path, body=body, repeatable=False)),
        )

    # Agents

    @classmethod
    async def register(
        cls,
        service_key: str,
        name: str,
        *,
        description: Optional[str] = None,
        base_url: Optional[str] = None,
        gate_poll_timeout_ms: int = DEFAULT_GATE_LIMIT_MS,
        gate_poll_interval_ms: int = 5_000,
    ) -> Tuple[AgentLattice, Json]:
        """Makes a new agent. Returns a client with its key, and `{"id", "name", "api_key", "created_at"}`.

        service_key: a service key with the scope `agents:register`. Code NAME_TAKEN: another agent has the name.
        """
        body = {"name": name, "description": description}
        request = Request("POST", "/api/agents/register", body=body, repeatable=False)
        async with cls(service_key, base_url) as service:
            answer = await service._transport.send(request)
        config = read(lambda d: {m: d[m] for m in ("id", "name", "api_key", "created_at")}, answer)
        client = cls(config["api_key"], service._transport.base_url, gate_poll_timeout_ms, gate_poll_interval_ms)
        return client, config

    @classmethod
    def register_sync(cls, service_key: str, name: str, **kwargs: Any) -> Tuple[AgentLattice, Json]:
        """Synchronous form of `register`: same arguments, result and errors."""
        return run_sync(cls.register(service_key, name, **kwargs))

    def delegate(self, name: str, *, capabilities: List[str], ttl: int) -> DelegationContext:
        """A child agent with fewer rights, for `async with`; it ends with the block.

        capabilities: action types or patterns, a subset of this agent's. ttl: seconds, at most 86400.
        """
        return DelegationContext(capabilities=capabilities, ttl_seconds=ttl, name=name, parent=self)

    def delegate_sync(self, name: str, *, capabilities: List[str], ttl: int) -> SyncDelegationContext:
        """Synchronous form of `delegate`, for `with`."""
        return SyncDelegationContext(capabilities=capabilities, ttl_seconds=ttl, name=name, parent=self)

    @staticmethod
    def parallel(*delegates: DelegationContext) -> ParallelDelegation:
        """Several delegations at once, for `async with`; when one fails, all end."""
        return ParallelDelegation(list(delegates))

    @staticmethod
    def parallel_sync(*delegates: DelegationContext) -> SyncParallelDelegation:
        """Synchronous form of `parallel`, for `with`."""
        return SyncParallelDelegation(list(delegates))

    # Live events

    async def subscribe(
        self,
        org_id: str,
        callback: EventCallback,
        *,
        events: Optional[List[str]] = None,
        agent_filter: Optional[str] = None,
    ) -> None:
        """Calls `callback` with each GovernanceEvent of the workspace; replaces an earlier subscription.

        events: only these event types. agent_filter: only this agent. Needs the extra `realtime`.
        """
        await self._subscriptions.subscribe(org_id, callback, events, agent_filter)

    async def unsubscribe(self) -> None:
        """Ends the subscription, if there is one."""
        await self._subscriptions.unsubscribe()

    def subscribe_sync(self, org_id: str, callback: EventCallback, **kwargs: Any) -> None:
        """Synchronous form of `subscribe`. The callback runs in a thread of its own and may use `_sync` methods."""
        run_sync(self._subscriptions.subscribe_in_thread(org_id, callback, **kwargs))

    # Lifetime

    async def aclose(self) -> None:
        """Ends the subscription and closes the connections. A later call opens them anew."""
        await self._subscriptions.unsubscribe()
        await self._transport.connections.aclose()

    def close(self) -> None:
        """Synchronous form of `aclose`."""
        run_sync(self.aclose())

    async def __aenter__(self) -> AgentLattice:
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    def __enter__(self) -> AgentLattice:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        self.close()

    list_pending_approvals_sync = sync_twin(list_pending_approvals)
    approve_action_sync = sync_twin(approve_action)
    deny_action_sync = sync_twin(deny_action)
    unsubscribe_sync = sync_twin(unsubscribe)
