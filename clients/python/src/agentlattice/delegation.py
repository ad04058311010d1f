"""Delegations: child agents with fewer rights that end with a `with` block."""

from __future__ import annotations

import asyncio
import warnings
from types import TracebackType
from typing import List, Optional, Sequence, Type, Union

from agentlattice.asking import DEFAULT_GATE_LIMIT_MS, Asking
from agentlattice.errors import AgentLatticeError
from agentlattice.models import read
from agentlattice.sync import run_sync
from agentlattice.transport import Request, open_transport, segment

_TIMEOUT_S = 30.0
#: How long ending a delegation is tried, in seconds. Its time to live ends it in any case.
_END_FOR_S = 10.0


class DelegatedAgent(Asking):
    """A child agent: `execute`, `gate`, `gated`, `can_i` with the child's key, and `delegate` for fewer rights still.

    Every request carries X-AL-Delegation-ID, so the server holds each action against the delegation's scope: one
    outside of it is denied with the reason DELEGATION_SCOPE.
    """

    def __init__(
        self,
        api_key: str,
        base_url: str,
        delegation_id: str,
        parent_api_key: str = "",
        *,
        parent: Optional[Asking] = None,
    ) -> None:
        header = {"X-AL-Delegation-ID": delegation_id}
        if parent is None:
            transport = open_transport(api_key, base_url, _TIMEOUT_S, _TIMEOUT_S)
            super().__init__(transport.with_headers(header), DEFAULT_GATE_LIMIT_MS)
        else:
            headers = {**header, "Authorization": f"Bearer {api_key}"}
            super().__init__(parent._transport.with_headers(headers), parent._gate_limit_ms, parent._keys)
        self._delegation_id = delegation_id

    @property
    def delegation_id(self) -> str:
        """The id of the delegation."""
        return self._delegation_id

    def delegate(self, name: str, *, capabilities: List[str], ttl: int) -> DelegationContext:
        """A delegation below this one, for `async with`."""
        return DelegationContext(name=name, capabilities=capabilities, ttl_seconds=ttl, parent=self)

    def delegate_sync(self, name: str, *, capabilities: List[str], ttl: int) -> SyncDelegationContext:
        """Synchronous form of `delegate`, for `with`."""
        return SyncDelegationContext(name=name, capabilities=capabilities, ttl_seconds=ttl, parent=self)


class DelegationContext:
    """Makes a delegation when the block begins and ends it when the block ends, however it ends.

    ttl_seconds: more than 0; the server takes at most 86400. Raises AgentLatticeError: INVALID_CAPABILITIES,
    INVALID_TTL, or what the server refuses.
    """

    def __init__(
        self,
        parent_api_key: str = "",
        base_url: str = "",
        name: str = "",
        capabilities: Sequence[str] = (),
        ttl_seconds: int = 0,
        *,
        parent: Optional[Asking] = None,
    ) -> None:
        if not capabilities:
            raise AgentLatticeError("INVALID_CAPABILITIES", "capabilities must be a list that is not empty")
        if not ttl_seconds > 0:
            raise AgentLatticeError("INVALID_TTL", "ttl must be more than 0 seconds")
        self._parent = parent or Asking(
            open_transport(parent_api_key, base_url, _TIMEOUT_S, _TIMEOUT_S), DEFAULT_GATE_LIMIT_MS
        )
        self._body = {"name": name, "capabilities": list(capabilities), "ttl_seconds": ttl_seconds}
        self._delegation_id: Optional[str] = None

    async def __aenter__(self) -> DelegatedAgent:
        # Not repeatable: a second delegation would have a key that nobody knows of.
        request = Request("POST", "/api/v1/delegate", body=self._body, repeatable=False)
        transport = self._parent._transport
        answer = await transport.send(request)
        delegation_id, child_key = read(lambda d: (str(d["delegation_id"]), str(d["child_api_key"])), answer)
        self._delegation_id = delegation_id
        return DelegatedAgent(child_key, transport.base_url, delegation_id, parent=self._parent)

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        delegation_id, self._delegation_id = self._delegation_id, None
        if delegation_id is not None:
            await asyncio.shield(self._end(delegation_id))

    async def _end(self, delegation_id: str) -> None:
        path = f"/api/v1/delegate/{segment(delegation_id, 'delegation_id')}"
        try:
            await self._parent._transport.send(Request("DELETE", path, retry_for=_END_FOR_S))
        except AgentLatticeError as fault:
            if fault.status != 404:
                warnings.warn(
                    f"The delegation {delegation_id} could not be ended and lasts until its time is over: {fault}",
                    stacklevel=2,
                )


class ParallelDelegation:
    """Enters several delegations at once. When one cannot be made, the others end and its error is raised."""

    def __init__(self, contexts: Sequence[DelegationContext]) -> None:
        self._contexts = list(contexts)

    async def __aenter__(self) -> List[DelegatedAgent]:
        entered = await asyncio.gather(*(c.__aenter__() for c in self._contexts), return_exceptions=True)
        agents = [agent for agent in entered if isinstance(agent, DelegatedAgent)]
        if len(agents) == len(self._contexts):
            return agents
        await self.__aexit__(None, None, None)
        raise next(error for error in entered if isinstance(error, BaseException))

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        await asyncio.gather(*(c.__aexit__(kind, error, traceback) for c in self._contexts))


class SyncDelegationContext:
    """DelegationContext for `with`; the same arguments."""

    def __init__(
        self,
        parent_api_key: str = "",
        base_url: str = "",
        name: str = "",
        capabilities: Sequence[str] = (),
        ttl_seconds: int = 0,
        *,
        parent: Optional[Asking] = None,
    ) -> None:
        self._context = DelegationContext(parent_api_key, base_url, name, capabilities, ttl_seconds, parent=parent)

    def __enter__(self) -> DelegatedAgent:
        return run_sync(self._context.__aenter__())

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        run_sync(self._context.__aexit__(kind, error, traceback))


class SyncParallelDelegation:
    """ParallelDelegation for `with`; takes what `delegate` and `delegate_sync` return."""

    def __init__(self, contexts: Sequence[Union[DelegationContext, SyncDelegationContext]]) -> None:
        self._parallel = ParallelDelegation(
            [c._context if isinstance(c, SyncDelegationContext) else c for c in contexts]
        )

    def __enter__(self) -> List[DelegatedAgent]:
        return run_sync(self._parallel.__aenter__())

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        run_sync(self._parallel.__aexit__(kind, error, traceback))
