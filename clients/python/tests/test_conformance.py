"""Every case of clients/conformance/cases, by the driver that other languages' drivers are compared with."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from conftest import CONFORMANCE, ScriptedServer

from conformance_driver import answer

Json = Dict[str, Any]


def all_cases() -> List[Any]:
    return [
        pytest.param(case, id=f"{path.stem}: {case['name']}")
        for path in sorted((CONFORMANCE / "cases").glob("*.json"))
        for case in json.loads(path.read_text())
    ]


def holds(found: Any, wanted: Any) -> bool:
    """As `holds` of the scripted server: all of `wanted` stands in `found`; null and missing say the same."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(holds(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(holds, found, wanted))
    return bool(found == wanted) and isinstance(found, bool) == isinstance(wanted, bool)


def line_of(case: Json, base_url: str) -> Json:
    return {
        "id": 1,
        "base_url": base_url,
        "api_key": "al_agent_test",
        "client": case.get("client"),
        **case["call"],
    }


@pytest.mark.anyio
@pytest.mark.parametrize("case", all_cases())
async def test_case(case: Json, scripted_server: ScriptedServer) -> None:
    base_url = scripted_server.begin(case["exchanges"])
    told = await answer(line_of(case, base_url))
    scripted_server.check(base_url)
    if "raises" in case:
        assert holds(told.get("error"), case["raises"]), told
    else:
        assert holds(told.get("result"), case["returns"]), told


def test_the_driver_answers_line_by_line(scripted_server: ScriptedServer) -> None:
    case = all_cases()[0].values[0]
    base_url = scripted_server.begin(case["exchanges"])
    driver = Path(__file__).resolve().parents[1] / "conformance_driver.py"
    ended = subprocess.run(
        [sys.executable, str(driver)],
        input=json.dumps(line_of(case, base_url)) + "\n",
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    told = json.loads(ended.stdout)
    assert told["id"] == 1
    assert holds(told["result"], case["returns"])
    scripted_server.check(base_url)


def test_what_holds_and_what_does_not() -> None:
    assert holds({"a": 1, "b": [{"c": None}]}, {"b": [{"c": None}], "d": None})
    assert not holds({"a": 1}, {"a": True})
    assert not holds({"a": [1, 2]}, {"a": [1]})
    assert not holds(None, {"a": 1})
