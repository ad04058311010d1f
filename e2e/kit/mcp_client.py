"""The official MCP client of Python, driven by one JSON object on standard input; prints one JSON object.

Finds the pending request that fits `matching`, approves it, answers the form of the server, and approves it again.
With `toml`: reads these texts as TOML instead.
"""

import asyncio
import json
import sys

try:
    import tomllib
except ImportError:  # before Python 3.11
    from pip._vendor import tomli as tomllib

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import ElicitResult


async def run(order: dict) -> dict:
    asked: list[str] = []

    async def answer(_context, params) -> ElicitResult:
        asked.append(params.message)
        return ElicitResult(action="accept", content={"reason": order["reason"]})

    if "url" in order:
        client_of_http = create_mcp_http_client(headers={"Authorization": "Bearer " + order["key"]})
        server = streamable_http_client(order["url"], http_client=client_of_http)
    else:
        server = StdioServerParameters(command=order["command"], args=order["args"], env=order["env"])
    async with Client(server, elicitation_callback=answer) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        found = await client.call_tool("list_pending_approvals", {"matching": order["matching"]})
        [request] = found.structured_content["requests"]
        decision = {name: request[name] for name in ("approval_id", "action_digest")}
        first = await client.call_tool("approve_action", decision)
        second = await client.call_tool("approve_action", decision)
        return {
            "protocol": client.protocol_version,
            "tools": tools,
            "match": found.structured_content["match"]["result"],
            "asked": asked,
            "first": {"error": first.is_error, "text": first.content[0].text, "structured": first.structured_content},
            "second": {"error": second.is_error, "text": second.content[0].text},
        }


given = json.load(sys.stdin)
if "toml" in given:
    print(json.dumps([tomllib.loads(text) for text in given["toml"]]))
else:
    print(json.dumps(asyncio.run(run(given))))
