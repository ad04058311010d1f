"""Live events, against a small server that speaks the channel protocol."""

from __future__ import annotations

import asyncio
import builtins
import json
import queue
import threading
from typing import Any, AsyncIterator, Dict, List

import pytest
import websockets
from standin import StandIn

from agentlattice import AgentLattice, AgentLatticeError, GovernanceEvent
from agentlattice.realtime import RealtimeClient

pytestmark = pytest.mark.anyio


def frame(event_type: str, agent_id: str = "agt_1", topic: str = "gov:org_1", **more: Any) -> str:
    event = {"event_type": event_type, "timestamp": "t", "org_id": "org_1", "agent_id": agent_id, "data": {"n": 1}}
    payload = {"event": "governance", "payload": {**event, **more}}
    return json.dumps({"topic": topic, "event": "broadcast", "payload": payload})


class Channel:
    """One server; `frames` are sent after each join."""

    def __init__(self) -> None:
        self.paths: List[str] = []
        self.received: List[Dict[str, Any]] = []
        self.frames: List[str] = []
        self.reply = "ok"
        self.close_after_frames = False
        self.heartbeat = asyncio.Event()
        self.base_url = ""

    async def serve(self, websocket: Any) -> None:
        self.paths.append(websocket.request.path)
        async for raw in websocket:
            message = json.loads(raw)
            self.received.append(message)
            if message["event"] == "heartbeat":
                self.heartbeat.set()
            if message["event"] != "phx_join":
                continue
            if self.reply:
                payload = {"status": self.reply, "response": {}}
                reply = {"topic": message["topic"], "event": "phx_reply", "ref": message["ref"], "payload": payload}
                await websocket.send(json.dumps(reply))
            if self.reply == "error":
                return
            for text in self.frames:
                await websocket.send(text)
            if self.close_after_frames:
                self.close_after_frames = False
                return


@pytest.fixture
async def channel(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Channel]:
    monkeypatch.setattr(RealtimeClient, "RECONNECT_BACKOFF_S", [0.01])
    made = Channel()
    async with websockets.serve(made.serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        made.base_url = f"http://127.0.0.1:{port}"
        yield made


async def test_events_reach_the_callback(channel: Channel) -> None:
    channel.frames = ["no json", "[]", frame("a", topic="gov:other"), frame("action.denied")]
    events: asyncio.Queue[GovernanceEvent] = asyncio.Queue()
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", events.put_nowait)
        event = await asyncio.wait_for(events.get(), 20)
    assert event == GovernanceEvent("action.denied", "t", "org_1", {"n": 1}, "agt_1")
    assert channel.paths == ["/realtime/v1?apikey=al_key&eventsPerSecond=10"]
    assert channel.received[0]["topic"] == "gov:org_1"


async def test_filters(channel: Channel) -> None:
    channel.frames = [frame("a"), frame("b", "agt_2"), frame("b", "agt_1"), frame("end", "agt_1")]
    events: asyncio.Queue[GovernanceEvent] = asyncio.Queue()
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", events.put_nowait, events=["b", "end"], agent_filter="agt_1")
        got = [(await asyncio.wait_for(events.get(), 20)).event_type for _ in range(2)]
    assert got == ["b", "end"]


async def test_a_broken_connection_is_made_anew(channel: Channel) -> None:
    channel.frames = [frame("a")]
    channel.close_after_frames = True
    events: asyncio.Queue[GovernanceEvent] = asyncio.Queue()
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", events.put_nowait)
        for _ in range(2):
            await asyncio.wait_for(events.get(), 20)
    assert len(channel.paths) == 2


async def test_a_refused_workspace_is_an_error(channel: Channel) -> None:
    channel.reply = "error"
    async with AgentLattice("al_key", channel.base_url) as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.subscribe("org_2", print)
    assert raised.value.code == "SUBSCRIBE_REFUSED"


async def test_a_server_without_live_events_is_an_error(standin: StandIn) -> None:
    async with AgentLattice("al_secret", standin.base_url) as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.subscribe("org_1", print)
    assert (raised.value.code, raised.value.status) == ("SUBSCRIBE_REFUSED", 404)
    assert "secret" not in str(raised.value)


async def test_a_server_that_does_not_answer_the_join_delivers_all_the_same(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RealtimeClient, "JOIN_WITHIN_S", 0.2)
    channel.reply = ""
    channel.frames = [frame("a")]
    events: asyncio.Queue[GovernanceEvent] = asyncio.Queue()
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", events.put_nowait)
        assert (await asyncio.wait_for(events.get(), 20)).event_type == "a"


async def test_a_server_that_is_away_is_an_error_without_the_key() -> None:
    async with AgentLattice("al_secret", "http://127.0.0.1:9") as al:
        with pytest.raises(AgentLatticeError) as raised:
            await al.subscribe("org_1", print)
    assert raised.value.code == "NETWORK_ERROR"
    assert "secret" not in str(raised.value)


async def test_heartbeats(channel: Channel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RealtimeClient, "HEARTBEAT_INTERVAL_S", 0.01)
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", print)
        await asyncio.wait_for(channel.heartbeat.wait(), 20)
    assert {"topic": "phoenix", "event": "heartbeat"}.items() <= channel.received[-1].items()


async def test_a_callback_that_fails_stops_nothing_and_may_be_async(channel: Channel) -> None:
    channel.frames = [frame("bad"), frame("good")]
    events: asyncio.Queue[str] = asyncio.Queue()

    async def callback(event: GovernanceEvent) -> None:
        await events.put(event.event_type)
        if event.event_type == "bad":
            raise ValueError("mine")

    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", callback)
        assert [await asyncio.wait_for(events.get(), 20) for _ in range(2)] == ["bad", "good"]


async def test_a_new_subscription_replaces_the_old_one(channel: Channel) -> None:
    async with AgentLattice("al_key", channel.base_url) as al:
        await al.subscribe("org_1", print)
        first = al._subscriptions._client
        await al.subscribe("org_1", print)
        assert first is not None
        assert not first.connected
        await al.unsubscribe()
        await al.unsubscribe()
    assert len(channel.paths) == 2


async def test_the_twin_calls_back_in_a_thread_that_may_use_twins(channel: Channel) -> None:
    channel.frames = [frame("a")]
    names: queue.Queue[str] = queue.Queue()
    al = AgentLattice("al_key", channel.base_url)

    def callback(event: GovernanceEvent) -> None:
        names.put(threading.current_thread().name)
        al.unsubscribe_sync()
        names.put(event.event_type)

    def program() -> List[str]:
        al.subscribe_sync("org_1", callback, events=["a"])
        return [names.get(timeout=20) for _ in range(2)]

    name, event_type = await asyncio.get_running_loop().run_in_executor(None, program)
    assert (name.startswith("agentlattice-events"), event_type) == (True, "a")
    await al.aclose()


async def test_without_the_extra_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = builtins.__import__

    def without_websockets(name: str, *args: Any) -> Any:
        if name == "websockets":
            raise ImportError(name)
        return ordinary(name, *args)

    monkeypatch.setattr(builtins, "__import__", without_websockets)
    with pytest.raises(AgentLatticeError, match=r"agentlattice-approvals\[realtime\]") as raised:
        await AgentLattice("k", "http://127.0.0.1:9").subscribe("org_1", print)
    assert raised.value.code == "MISSING_DEPENDENCY"
