"""`@al.gated`: a function that runs only when its action may be done."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional, TypeVar, Union, cast

from agentlattice.errors import AgentLatticeError
from agentlattice.introspection import send_report
from agentlattice.models import ActionOptions, GateResult, ReportOutcome
from agentlattice.sync import run_sync

if TYPE_CHECKING:
    from agentlattice.asking import Asking

F = TypeVar("F", bound=Callable[..., Any])

MetadataOf = Union[Dict[str, Any], Callable[..., Optional[Dict[str, Any]]], None]
DataAccessedOf = Union[List[Dict[str, Any]], Callable[..., Optional[List[Dict[str, Any]]]], None]
EventIdOf = Optional[Callable[..., Optional[str]]]

#: How long a report may be tried, in seconds: it must not hold up the function's result for long.
REPORT_FOR_S = 5.0
#: The longest message that the server takes.
LONGEST_MESSAGE = 4000

logger = logging.getLogger("agentlattice")


@dataclass(frozen=True)
class Gated:
    """What `AgentLattice.gated` was called with; wraps functions."""

    client: Asking
    action_type: str
    metadata: MetadataOf
    data_accessed: DataAccessedOf
    event_id: EventIdOf
    timeout_ms: Optional[int]
    report: bool

    def wrap(self, function: F) -> F:
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            # Calling a generator function runs nothing yet, so neither its start nor its end could be told.
            raise TypeError("gated cannot wrap a generator function")
        if inspect.iscoroutinefunction(function):
            return cast(F, self._wrap_async(function))
        return cast(F, self._wrap_sync(function))

    def _wrap_async(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        async def gated(*args: Any, **kwargs: Any) -> Any:
            passed = await self._gate(args, kwargs)
            begun = time.monotonic()
            try:
                result = await function(*args, **kwargs)
            except BaseException as error:
                await asyncio.shield(self._report(passed, begun, error))
                raise
            await self._report(passed, begun, None)
            return result

        return gated

    def _wrap_sync(self, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def gated(*args: Any, **kwargs: Any) -> Any:
            passed = run_sync(self._gate(args, kwargs))
            begun = time.monotonic()
            try:
                result = function(*args, **kwargs)
            except BaseException as error:
                run_sync(self._report(passed, begun, error))
                raise
            run_sync(self._report(passed, begun, None))
            return result

        return gated

    async def _gate(self, args: Any, kwargs: Any) -> GateResult:
        def value_of(given: Any) -> Any:
            return given(*args, **kwargs) if callable(given) else given

        options = ActionOptions(
            data_accessed=value_of(self.data_accessed),
            metadata=value_of(self.metadata),
            event_id=value_of(self.event_id),
        )
        return await self.client.gate(self.action_type, options, timeout_ms=self.timeout_ms)

    async def _report(self, passed: GateResult, begun: float, error: Optional[BaseException]) -> None:
        """Says how the function ended. What became of the report changes nothing for the caller."""
        if not self.report:
            return
        message = None if error is None else f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
        outcome = ReportOutcome(
            status="success" if error is None else "failure",
            message=message,
            metadata={"seconds": round(time.monotonic() - begun, 3)},
        )
        try:
            report = send_report(self.client._transport, passed.audit_event_id, outcome, REPORT_FOR_S)
            await asyncio.wait_for(report, REPORT_FOR_S)
        except (AgentLatticeError, asyncio.TimeoutError) as fault:
            logger.warning("The outcome of %s could not be reported: %r", self.action_type, fault)
