"""The official MCP client of Python, driven by a JSON list on standard input; prints a JSON list.

An object is an order: find the pending request that fits `matching`, approve it, answer the form of the server, and approve
it again. A text is read as TOML.
"""

import asyncio
import json
import sys

try:
    import tomllib
except ImportError:  # before Python 3.11
    from pip._vendor import tomli as tomllib


async def run(order: dict) -> dict:
    # Here, because importing it takes longer than reading TOML.
    from mcp import Client, StdioServerParameters
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared._httpx_utils import create_mcp_http_client
    from mcp.types import ElicitResult

    asked: list[str] = []

    async def answer(_context, params):
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
            "first": {
                "error": first.is_error,
                **{name: first.structured_content[name] for name in ("outcome", "approval_id", "asked_person")},
            },
            "second": second.content[0].text,
        }


orders = json.load(sys.stdin)
print(json.dumps([tomllib.loads(one) if isinstance(one, str) else asyncio.run(run(one)) for one in orders]))
