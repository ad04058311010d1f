"""Servers for the tests: the scripted server of clients/conformance, and a stand-in for the gateway."""

from __future__ import annotations

import json
import os
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, Callable, Dict, Iterator

import pytest
from standin import StandIn

CONFORMANCE = Path(__file__).resolve().parents[2] / "conformance"
NODE = os.environ.get("NODE", "node")

Json = Dict[str, Any]


class ScriptedServer:
    """Plays cases; see clients/conformance/README.md."""

    def __init__(self, address: str) -> None:
        self.address = address

    def begin(self, exchanges: Any) -> str:
        """The base address of a new run."""
        body = json.dumps({"exchanges": exchanges}).encode()
        made = json.load(urllib.request.urlopen(f"{self.address}/runs", data=body))  # noqa: S310
        return f"{self.address}/runs/{made['id']}"

    def check(self, base_url: str) -> None:
        """Fails unless all that the script names has happened, and nothing else."""
        outcome = json.load(urllib.request.urlopen(base_url))  # noqa: S310
        assert outcome == {"faults": [], "missing": []}


@pytest.fixture(scope="session")
def scripted_server() -> Iterator[ScriptedServer]:
    command = [NODE, str(CONFORMANCE / "serve.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield ScriptedServer(process.stdout.readline().strip())
        process.communicate(timeout=10)


@pytest.fixture
def script(scripted_server: ScriptedServer) -> Iterator[Callable[..., str]]:
    """Begins a run with these exchanges and checks it at the end of the test."""
    begun = []

    def begin(*exchanges: Json) -> str:
        begun.append(scripted_server.begin(exchanges))
        return begun[-1]

    yield begin
    for base_url in begun:
        scripted_server.check(base_url)


@pytest.fixture
def standin() -> Iterator[StandIn]:
    server = StandIn()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AL_API_KEY", "AL_BASE_URL", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
