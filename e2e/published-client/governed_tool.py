"""A LangChain tool that the published langchain-agentlattice gates: prints what came of one call, as JSON.

Arguments: the action type, and `sync` or `async`. Environment: AL_API_KEY, AL_BASE_URL.
"""

import asyncio
import json
import os
import sys

from agentlattice import AgentLattice
from langchain_agentlattice import govern
from langchain_core.tools import BaseTool

ran = []


class Search(BaseTool):
    name: str = "search"
    description: str = "Searches orders."

    def _run(self, tool_input: str) -> str:
        ran.append(tool_input)
        return f"found {tool_input}"

    async def _arun(self, tool_input: str) -> str:
        return self._run(tool_input)


action_type, how = sys.argv[1:]
al = AgentLattice(os.environ["AL_API_KEY"], base_url=os.environ["AL_BASE_URL"], gate_poll_interval_ms=100)
tool = govern(Search(), al=al, action_type=action_type)
try:
    told = {"result": tool.invoke("orders") if how == "sync" else asyncio.run(tool.ainvoke("orders"))}
except Exception as error:
    told = {"error": type(error).__name__, "code": getattr(error, "code", None)}
print(json.dumps({**told, "ran": len(ran)}))
