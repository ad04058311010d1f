"""LangChain for Python with a scripted model, one thread per scenario; prints what each came to, as JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import types
from collections import Counter
from typing import Any

from langchain.agents import create_agent
from langchain_core.tools import tool
from langchain_model import Scripted, call_of, documented
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agentlattice import AgentLattice
from agentlattice.integrations.langchain import ApprovalMiddleware, decided

operator = AgentLattice(os.environ["OPERATOR_KEY"])
ran: Counter[str] = Counter()
APPROVE = {"decisions": [{"type": "approve"}]}


@tool
def refund(order: str) -> str:
    """Refunds an order."""
    ran[order] += 1
    return f"refunded {order}"


def named(name: str) -> Any:
    return refund.model_copy(update={"name": name})


class Thread:
    """An agent with one thread."""

    def __init__(self, order: str, *, name: str = "refund", base_url: str | None = None, **options: Any) -> None:
        client = AgentLattice() if base_url is None else AgentLattice(base_url=base_url, retry_for=0)
        self.bot = create_agent(
            Scripted(calls=[call_of(order, name)]),
            [refund, named("lookup"), named("drop"), named("brief")],
            middleware=[ApprovalMiddleware(client, **options)],
            checkpointer=InMemorySaver(),
        )
        self.order = order
        self.config: Any = {"configurable": {"thread_id": order}}

    def input(self) -> Any:
        return {"messages": [{"role": "user", "content": f"refund {self.order}"}]}

    async def run(self, given: Any, config: Any = None) -> Any:
        return await self.bot.ainvoke(given, config or self.config)

    def run_sync(self, given: Any, config: Any = None) -> Any:
        return self.bot.invoke(given, config or self.config)


def text(state: Any) -> str:
    return str(state["messages"][-1].content)


def resume(state: Any, answer: Any = APPROVE) -> Command[Any]:
    return Command(resume={waiting.id: answer for waiting in state["__interrupt__"]})


async def decide(order: str, how: str, reason: str | None = None) -> None:
    while True:
        for request in await operator.list_pending_approvals():
            if request.metadata.get("arguments", {}).get("order") == order:
                await getattr(operator, f"{how}_action")(request.approval_id, reason)
                return
        await asyncio.sleep(0.05)


async def paused_then(order: str, how: str, reason: str | None = None) -> tuple[Thread, Any, Any]:
    thread = Thread(order, pause=True)
    state = await thread.run(thread.input())
    before = (await thread.bot.aget_state(thread.config)).config
    async with AgentLattice() as client:
        waiting = decided(client, state["__interrupt__"][0].value["approval_id"])
        await asyncio.gather(waiting, decide(order, how, reason))
    return thread, state, before


async def approved(order: str) -> str:
    thread, state, _ = await paused_then(order, "approve")
    return text(await thread.run(resume(state)))


async def denied(order: str) -> str:
    thread, state, _ = await paused_then(order, "deny", "not this customer")
    return text(await thread.run(resume(state)))


async def forged(order: str) -> str:
    """Resumed with an approval before anybody decided, twice: it goes on waiting."""
    thread = Thread(order, pause=True)
    state = await thread.run(thread.input())
    for answer in (APPROVE, True):
        state = await thread.run(resume(state, answer))
    return f"interrupted {len(state['__interrupt__'])}"


async def replayed(order: str) -> str:
    """From the checkpoint before the tool ran."""
    thread, state, before = await paused_then(order, "approve")
    await thread.run(resume(state))
    return text(await thread.run(resume(state), before))


async def waits(order: str) -> str:
    thread = Thread(order)
    state, _ = await asyncio.gather(thread.run(thread.input()), decide(order, "approve"))
    return text(state)


async def synchronous(order: str) -> str:
    """All of it without coroutines, in a thread of its own."""

    def work() -> str:
        thread = Thread(order, pause=True)
        state = thread.run_sync(thread.input())
        state = thread.run_sync(resume(state))
        approval_id = state["__interrupt__"][0].value["approval_id"]
        operator.approve_action_sync(approval_id)
        return text(thread.run_sync(resume(state)))

    return await asyncio.get_running_loop().run_in_executor(None, work)


async def outcome(order: str, **options: Any) -> str:
    thread = Thread(order, **options)
    return text(await thread.run(thread.input()))


async def late(order: str) -> str:
    return await outcome(order, name="brief")


async def unreachable(order: str) -> str:
    return await outcome(order, base_url=os.environ["DEAD_URL"])


async def unreachable_paused(order: str) -> str:
    return await outcome(order, base_url=os.environ["DEAD_URL"], pause=True)


async def allowed(order: str) -> str:
    return await outcome(order, name="lookup", pause=True)


async def forbidden(order: str) -> str:
    return await outcome(order, name="drop", pause=True)


async def guide(order: str) -> str:
    """The program of the guide, in a thread of its own since it runs a loop; a person approves."""
    printed: list[str] = []
    names = {"__name__": "guide", "print": lambda text: printed.append(str(text))}
    with open(os.environ["GUIDE"]) as file:
        program = compile(file.read(), file.name, "exec")
    sys.modules["model"] = types.SimpleNamespace(model=documented)  # type: ignore[assignment]
    running = asyncio.get_running_loop().run_in_executor(None, exec, program, names)
    await asyncio.gather(running, decide("20", "approve"))
    return "\n".join(printed)


SCENARIOS = (
    *(guide, approved, denied, forged, replayed, waits, synchronous, late),
    *(unreachable, unreachable_paused, allowed, forbidden),
)


async def came_to(scenario: Any) -> tuple[str, Any]:
    order = f"{os.environ['PREFIX']}-{scenario.__name__}"
    try:
        return scenario.__name__, {"answer": await scenario(order), "ran": ran[order]}
    except Exception as error:
        return scenario.__name__, {"error": f"{type(error).__name__}: {error}", "ran": ran[order]}


async def main() -> None:
    print(json.dumps(dict(await asyncio.gather(*(came_to(scenario) for scenario in SCENARIOS)))))


asyncio.run(main())
