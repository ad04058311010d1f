"""Drives the published client as a user's program does: one command a line comes in, one result a line goes out."""

import asyncio
import dataclasses
import json
import sys

import agentlattice
import delegations
import listening
from agentlattice import ActionOptions, AgentLattice, ReportOutcome


def plain(value):
    """Dataclasses as JSON, so that what the client has read can be looked at."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return plain(dataclasses.asdict(value))
    if isinstance(value, dict):
        return {key: plain(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    return value


def options(given):
    return ActionOptions(**given) if given is not None else None


async def perform(command):
    op, args = command["op"], command.get("args", {})
    if op == "version":
        return agentlattice.__version__ if hasattr(agentlattice, "__version__") else None
    base_url = command["base_url"]
    if op in ("register", "register_sync"):
        client, config = await called(getattr(AgentLattice, op), command["key"], base_url=base_url, **args)
        return {"config": config, "whoami": plain(await client.whoami())}
    client = AgentLattice(api_key=command["key"], base_url=base_url, **command.get("settings", {}))
    if op in ("execute", "gate", "execute_sync", "gate_sync"):
        return plain(await called(getattr(client, op), args["action_type"], options(args.get("options"))))
    more = {**delegations.operations, **listening.operations}
    if op in more:
        return plain(await called(more[op], client, **args))
    if op in ("report", "report_sync"):
        return plain(await called(getattr(client, op), args["audit_event_id"], ReportOutcome(**args["outcome"])))
    return plain(await called(getattr(client, op), **args))


async def called(method, *args, **named):
    """A coroutine is awaited; a method for programs without an event loop runs in a thread that has none."""
    if method.__name__.endswith("_sync"):
        return await asyncio.to_thread(method, *args, **named)
    return await method(*args, **named)


async def answer(command):
    try:
        told = {"id": command["id"], "result": await perform(command)}
    except Exception as error:
        told = {
            "id": command["id"],
            "error": {
                "class": type(error).__name__,
                "code": getattr(error, "code", None),
                "message": str(error),
                "approval_id": getattr(error, "approval_id", None),
                "reason": getattr(error, "reason", None),
                "policy": getattr(error, "policy", None),
                "conditions": plain(getattr(error, "conditions", None)),
            },
        }
    print(json.dumps(told), flush=True)


async def main():
    loop = asyncio.get_running_loop()
    running = set()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        task = asyncio.create_task(answer(json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


asyncio.run(main())
