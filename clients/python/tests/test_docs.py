"""Every Python snippet of the guide and of the README runs as it stands."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
import threading
from pathlib import Path
from types import CodeType
from typing import Any, Dict, List

import pytest
from standin import StandIn

from agentlattice import AgentLattice

PACKAGE = Path(__file__).resolve().parents[1]
PAGES = [PACKAGE.parents[1] / "docs/clients/python.md", PACKAGE / "README.md"]


def snippets() -> List[Any]:
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            line = text.count("\n", 0, match.start()) + 2
            # Blank lines before it, so that a traceback names the line of the page.
            code = compile("\n" * (line - 1) + match[1], str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            found.append(pytest.param(code, id=f"{page.name}:{line}"))
    return found


@pytest.mark.parametrize("code", snippets())
def test_snippet(code: CodeType, standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    standin.policies.update({"deploy.production": "ask", "deploy.staging": "ask", "db.read": "allow"})
    standin.policies["pr.open"] = "small"
    standin.answers["deploy.staging"] = "approved"
    monkeypatch.setenv("AL_BASE_URL", standin.base_url)
    for name in ("AL_API_KEY", "AL_OPERATOR_KEY", "AL_SERVICE_KEY"):
        monkeypatch.setenv(name, "al_key")
    clients: List[AgentLattice] = []
    made = AgentLattice.__init__

    def remember(self: AgentLattice, *args: Any, **kwargs: Any) -> None:
        made(self, *args, **kwargs)
        clients.append(self)

    monkeypatch.setattr(AgentLattice, "__init__", remember)
    names: Dict[str, Any] = {"__name__": "snippet"}
    if "list_pending_approvals" in code.co_names:
        with AgentLattice() as agent:
            for _ in range(2):
                agent.execute_sync("deploy.production")
    if "gate_sync" in code.co_names and "deploy.production" in code.co_consts:
        threading.Thread(target=approve_what_comes, args=(standin,), daemon=True).start()
    asyncio.run(run(code, names, clients))
    assert clients
    assert standin.seen


async def run(code: CodeType, names: Dict[str, Any], clients: List[AgentLattice]) -> None:
    if code.co_flags & inspect.CO_COROUTINE:
        await eval(code, names)  # noqa: S307
    else:
        await asyncio.get_running_loop().run_in_executor(None, exec, code, names)
    for client in clients:
        await client.aclose()


def approve_what_comes(standin: StandIn) -> None:
    """The person who approves what the README's gate asks for."""
    with standin.changed:
        standin.changed.wait_for(lambda: any(asked.open for asked in standin.asked.values()), 20)
        for asked in standin.asked.values():
            if asked.open and asked.approval_id is not None:
                standin.decide(asked.approval_id, "approved")


def test_both_pages_have_snippets() -> None:
    pages = {str(param.id).split(":")[0] for param in snippets()}
    assert pages == {page.name for page in PAGES}
    assert len(snippets()) >= 12
