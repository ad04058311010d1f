"""Live events: the part of the Phoenix channel protocol that `subscribe` needs, over a WebSocket."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Awaitable, Callable, Collection, Dict, List, Optional, Union

from agentlattice.errors import AgentLatticeError
from agentlattice.introspection_models import GovernanceEvent
from agentlattice.transport import Transport

EventCallback = Callable[[GovernanceEvent], Optional[Awaitable[None]]]

logger = logging.getLogger("agentlattice.realtime")


class RealtimeClient:
    """One subscription. Reconnects when the connection breaks; events in between are not delivered.

    Messages: join `gov:<org_id>`, a heartbeat every 30 s, and broadcasts with the events. The server's refusal to join
    (another workspace) raises AgentLatticeError (SUBSCRIBE_REFUSED).
    """

    HEARTBEAT_INTERVAL_S: float = 30
    #: Seconds between attempts to connect again.
    RECONNECT_BACKOFF_S: List[float] = [1, 2, 4, 8, 16, 30]  # noqa: RUF012  # as existing programs know it
    #: How long the answer to the join is waited for, in seconds.
    JOIN_WITHIN_S: float = 5

    def __init__(
        self,
        base_url: str,
        api_key: str,
        org_id: str,
        callback: EventCallback,
        event_filter: Optional[Collection[str]] = None,
        agent_filter: Optional[str] = None,
    ) -> None:
        self._base_url = base_url
        self._api_key = api_key
        self._topic = f"gov:{org_id}"
        self._callback = callback
        self._event_filter = event_filter
        self._agent_filter = agent_filter
        self._websocket: Any = None
        self._reference = 0
        self._tasks: List[asyncio.Task[None]] = []

    @property
    def connected(self) -> bool:
        """Whether events arrive at the moment."""
        return self._websocket is not None

    async def connect(self) -> None:
        """Returns when the server has taken the subscription. Raises AgentLatticeError."""
        try:
            await self._join()
        except AgentLatticeError:
            raise
        except Exception as error:
            raise AgentLatticeError("NETWORK_ERROR", f"No live events: {type(error).__name__}", error) from error
        self._tasks = [asyncio.create_task(self._receive()), asyncio.create_task(self._heartbeat())]

    async def disconnect(self) -> None:
        """Ends the subscription."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self._drop()

    async def _join(self) -> None:
        import websockets.exceptions

        # The key is in the address because the protocol has no other place for it.
        address = "ws" + self._base_url[len("http") :]
        try:
            websocket = await websockets.connect(f"{address}/realtime/v1?apikey={self._api_key}&eventsPerSecond=10")
        except websockets.exceptions.InvalidHandshake as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status is None or not 400 <= status < 500:
                raise
            message = f"The server refuses live events with HTTP {status}"
            raise AgentLatticeError("SUBSCRIBE_REFUSED", message, status=status) from error
        try:
            reference = self._next_reference()
            await websocket.send(_message(self._topic, "phx_join", reference))
            await self._join_answer(websocket, reference)
        except BaseException:
            await websocket.close()
            raise
        self._websocket = websocket

    async def _join_answer(self, websocket: Any, reference: str) -> None:
        try:
            while True:
                message = _read(await asyncio.wait_for(websocket.recv(), self.JOIN_WITHIN_S))
                if message.get("event") == "phx_reply" and message.get("ref") == reference:
                    break
                await self._deliver(message)
        except asyncio.TimeoutError:
            return  # A server that does not answer a join may deliver all the same.
        if (message.get("payload") or {}).get("status") != "ok":
            raise AgentLatticeError("SUBSCRIBE_REFUSED", f"The server refuses {self._topic}", message)

    async def _heartbeat(self) -> None:
        while True:
            await asyncio.sleep(self.HEARTBEAT_INTERVAL_S)
            try:
                if self._websocket is not None:
                    await self._websocket.send(_message("phoenix", "heartbeat", self._next_reference()))
            except Exception:
                logger.debug("A heartbeat could not be sent; the connection is made anew", exc_info=True)

    async def _receive(self) -> None:
        attempt = 0
        while True:
            try:
                if self._websocket is None:
                    await self._join()
                    attempt = 0
                async for raw in self._websocket:
                    await self._deliver(_read(raw))
            except AgentLatticeError as refusal:
                logger.error("No more live events: %s", refusal)  # noqa: TRY400
                return
            except Exception as error:
                logger.debug("No connection for live events (%s)", type(error).__name__)
            await self._drop()
            await asyncio.sleep(self.RECONNECT_BACKOFF_S[min(attempt, len(self.RECONNECT_BACKOFF_S) - 1)])
            attempt += 1

    async def _deliver(self, message: Dict[str, Any]) -> None:
        payload = message.get("payload")
        if message.get("topic") != self._topic or message.get("event") != "broadcast":
            return
        if not isinstance(payload, dict) or payload.get("event") != "governance":
            return
        try:
            event = GovernanceEvent.from_dict(payload["payload"])
            if self._event_filter and event.event_type not in self._event_filter:
                return
            if self._agent_filter and event.agent_id != self._agent_filter:
                return
            called = self._callback(event)
            if inspect.isawaitable(called):
                await called
        except Exception:
            logger.exception("A live event could not be handled")

    def _next_reference(self) -> str:
        self._reference += 1
        return str(self._reference)

    async def _drop(self) -> None:
        websocket, self._websocket = self._websocket, None
        if websocket is not None:
            await websocket.close()


class Subscriptions:
    """The subscription of one client, on whichever event loop it was made."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._client: Optional[RealtimeClient] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[ThreadPoolExecutor] = None

    async def subscribe(
        self,
        org_id: str,
        callback: EventCallback,
        events: Optional[List[str]] = None,
        agent_filter: Optional[str] = None,
    ) -> None:
        await self.unsubscribe()
        try:
            import websockets  # noqa: F401
        except ImportError as error:
            raise AgentLatticeError(
                "MISSING_DEPENDENCY",
                "subscribe needs the extra realtime: pip install 'agentlattice-approvals[realtime]'",
            ) from error
        client = RealtimeClient(
            self._transport.base_url,
            self._transport.api_key,
            org_id,
            callback,
            set(events) if events else None,
            agent_filter,
        )
        await client.connect()
        self._client, self._loop = client, asyncio.get_running_loop()

    async def subscribe_in_thread(self, org_id: str, callback: EventCallback, **filters: Any) -> None:
        """As `subscribe`; the callback runs in one thread of its own, event by event."""
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="agentlattice-events")

        def call(event: GovernanceEvent) -> None:
            try:
                callback(event)
            except Exception:
                logger.exception("A live event could not be handled")

        def hand_over(event: GovernanceEvent) -> None:
            thread.submit(call, event)

        await self.subscribe(org_id, hand_over, **filters)
        self._thread = thread

    async def unsubscribe(self) -> None:
        client, loop, thread = self._client, self._loop, self._thread
        self._client = self._loop = self._thread = None
        if thread is not None:
            thread.shutdown(wait=False)
        if client is None or loop is None or loop.is_closed():
            return
        if loop is asyncio.get_running_loop():
            await client.disconnect()
        elif loop.is_running():
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.disconnect(), loop))


def _message(topic: str, event: str, reference: str) -> str:
    return json.dumps({"topic": topic, "event": event, "payload": {}, "ref": reference})


def _read(raw: Union[str, bytes]) -> Dict[str, Any]:
    try:
        message = json.loads(raw)
    except (ValueError, RecursionError):
        message = None
    return message if isinstance(message, dict) else {}
