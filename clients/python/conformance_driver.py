"""The driver of clients/conformance: one call per line comes in, one result per line goes out."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from typing import Any, Dict, Set

from agentlattice import (
    AgentLattice,
    AgentLatticeConnectionError,
    AgentLatticeDeniedError,
    AgentLatticeError,
    AgentLatticeTimeoutError,
    ReportOutcome,
)

Json = Dict[str, Any]

#: The key that the cases expect from `register`.
_SERVICE_KEY = "al_svc_test"
_ERROR_MEMBERS = ("code", "approval_id", "reason", "policy", "conditions", "comment", "status", "request_id")


def plain(value: Any) -> Any:
    """Dataclasses as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return value


def client_of(line: Json) -> AgentLattice:
    settings = line.get("client") or {}
    seconds = {name: settings[f"{name}_ms"] / 1000 for name in ("retry_for", "timeout") if f"{name}_ms" in settings}
    return AgentLattice(line["api_key"], line["base_url"], **seconds)


async def perform(line: Json) -> Any:
    method, args = line["method"], dict(line.get("args") or {})
    if method == "register":
        key = args.pop("service_key", _SERVICE_KEY)
        agent, config = await AgentLattice.register(key, base_url=line["base_url"], **args)
        await agent.aclose()
        return config
    async with client_of(line) as al:
        if method == "gated":
            return await _gated(al, args)
        if method == "delegate":
            return await _delegated(al, args)
        if method == "report":
            return await al.report(args["audit_event_id"], ReportOutcome(**args["outcome"]))
        return await getattr(al, method)(**args)


async def _delegated(al: AgentLattice, args: Json) -> Json:
    actions = args.pop("actions")
    async with al.delegate(**args) as child:
        return {"results": [await child.execute(action_type, event_id=f"e-{action_type}") for action_type in actions]}


async def _gated(al: AgentLattice, args: Json) -> Json:
    fail, event_id = args.pop("fail", False), args.pop("event_id", None)

    @al.gated(args.pop("action_type"), event_id=lambda: event_id, **args)
    async def act() -> Json:
        if fail:
            raise TypeError("the function failed")
        return {"done": True}

    return await act()


async def answer(line: Json) -> Json:
    try:
        return {"id": line["id"], "result": plain(await perform(line))}
    except Exception as error:
        members = {name: plain(getattr(error, name)) for name in _ERROR_MEMBERS if hasattr(error, name)}
        return {"id": line["id"], "error": {"class": _class_of(error), "message": str(error), **members}}


def _class_of(error: Exception) -> str:
    names = (
        (AgentLatticeDeniedError, "denied"),
        (AgentLatticeTimeoutError, "timeout"),
        (AgentLatticeConnectionError, "connection"),
        (AgentLatticeError, "error"),
    )
    return next((name for kind, name in names if isinstance(error, kind)), type(error).__name__)


async def main() -> None:
    loop = asyncio.get_running_loop()
    running: Set[asyncio.Task[None]] = set()

    async def handle(line: Json) -> None:
        print(json.dumps(await answer(line)), flush=True)

    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.create_task(handle(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)
    if running:
        await asyncio.wait(running)


if __name__ == "__main__":
    asyncio.run(main())
