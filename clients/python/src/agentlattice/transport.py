"""HTTP: connection reuse, retries that cannot act twice, held answers, and errors with a code."""

from __future__ import annotations

import asyncio
import random
import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from typing import Any, Dict, Iterator, Optional
from urllib.parse import quote

import httpx

from agentlattice._version import __version__
from agentlattice.action import encoded
from agentlattice.errors import AgentLatticeConnectionError, AgentLatticeError
from agentlattice.sync import background_loop

#: Answers that say "not now".
_TRY_AGAIN = (429, 502, 503, 504)
_FIRST_DELAY_S = 0.25
_LONGEST_DELAY_S = 8.0
#: A connection that lasted this long was one; when it breaks, the time of `retry_for` begins anew.
_LASTED_S = 5.0
#: The request never left when one of these is raised.
_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Connections:
    """One HTTP client per event loop, made when it is needed and again after `aclose`."""

    def __init__(self, timeout: float, *, encrypted: bool) -> None:
        self._timeout = timeout
        self._encrypted = encrypted
        self._lock = threading.Lock()
        self._clients: Dict[asyncio.AbstractEventLoop, httpx.AsyncClient] = {}

    def client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        with self._lock:
            found = self._clients.get(loop)
            if found is not None:
                return found
            for ended in [other for other in self._clients if other.is_closed()]:
                del self._clients[ended]
            made = httpx.AsyncClient(
                timeout=httpx.Timeout(self._timeout, pool=None),
                # Reading the certificates of the authorities takes long, and http:// needs none.
                verify=True if self._encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
                # Each waiting gate holds a connection, so their number is not limited.
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=100),
                headers={
                    "Accept": "application/json",
                    "User-Agent": f"agentlattice-approvals-python/{__version__}",
                },
                follow_redirects=False,
            )
            self._clients[loop] = made
            return made

    async def aclose(self) -> None:
        """Closes the connections of this loop and of the `_sync` twins."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for loop, client in clients.items():
            if loop is asyncio.get_running_loop():
                await client.aclose()
            elif loop is background_loop():
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(client.aclose(), loop))
            elif loop.is_running():
                asyncio.run_coroutine_threadsafe(client.aclose(), loop)


@dataclass
class Sent:
    """Whether a request has begun to leave this machine, in any of its attempts."""

    begun: bool = False

    async def trace(self, event: str, _: Any) -> None:
        self.begun = self.begun or event.endswith("send_request_headers.started")


@dataclass(frozen=True)
class Request:
    """One request.

    path: as it is sent. body: JSON. repeatable: sending it twice does the same as sending it once.
    hold: seconds that the server may hold the answer back. retry_for: seconds; the transport's own by default.
    """

    method: str
    path: str
    query: Optional[Dict[str, Optional[str]]] = None
    body: Any = None
    headers: Dict[str, str] = field(default_factory=dict)
    repeatable: bool = True
    hold: float = 0.0
    retry_for: Optional[float] = None
    sent: Sent = field(default_factory=Sent)


@dataclass(frozen=True)
class Transport:
    """Sends requests with a key. timeout and retry_for are seconds."""

    base_url: str
    headers: Dict[str, str] = field(repr=False)  # They hold the key.
    timeout: float
    retry_for: float
    connections: Connections

    @property
    def api_key(self) -> str:
        return self.headers["Authorization"][len("Bearer ") :]

    def with_headers(self, headers: Dict[str, str]) -> Transport:
        """The same connections with other headers."""
        return replace(self, headers={**self.headers, **headers})

    async def send(self, request: Request) -> Any:
        """Sends a request, again if need be. Returns the JSON of the answer.

        Raises AgentLatticeError for a refusal or an answer outside of the contract, AgentLatticeConnectionError when
        the system cannot be reached within `retry_for`.
        """
        retry_for = self.retry_for if request.retry_for is None else request.retry_for
        content = None if request.body is None else encoded(request.body)
        away_since: Optional[float] = None
        delays = _delays()
        while True:
            begun = time.monotonic()
            asked_delay = 0.0
            failure: Optional[AgentLatticeError]
            try:
                response = await self._attempt(request, content)
                failure = _error_of(response)
                if failure is None:
                    return _json_of(response)
                asked_delay = _retry_after(response)
                interrupted = False
            except AgentLatticeConnectionError as error:
                failure = error
                timed_out = isinstance(error.details, httpx.TimeoutException)
                interrupted = not timed_out and time.monotonic() - begun > _LASTED_S
            now = time.monotonic()
            if away_since is None or interrupted:
                away_since, delays = now, _delays()
            delay = max(next(delays), asked_delay)
            if not _may_repeat(request, failure) or now - away_since + delay > retry_for:
                raise failure
            await asyncio.sleep(delay)

    async def _attempt(self, request: Request, content: Optional[bytes]) -> httpx.Response:
        query = {name: value for name, value in (request.query or {}).items() if value is not None}
        json_type = {} if content is None else {"Content-Type": "application/json"}
        try:
            return await self.connections.client().request(
                request.method,
                self.base_url + request.path,
                params=query or None,
                content=content,
                headers={**self.headers, **request.headers, **json_type},
                timeout=httpx.Timeout(self.timeout, read=self.timeout + request.hold, pool=None),
                extensions={"trace": request.sent.trace},
            )
        except httpx.RequestError as error:
            known = request.repeatable or isinstance(error, _NEVER_LEFT)
            doubt = "" if known else " Whether it took effect is not known; look before you try again."
            message = f"{self.base_url} cannot be reached ({type(error).__name__}: {error}).{doubt}"
            raise AgentLatticeConnectionError(message, error) from error


def open_transport(api_key: str, base_url: str, timeout: float, retry_for: float) -> Transport:
    """Raises AgentLatticeError: MISSING_API_KEY, INVALID_ARGUMENT."""
    key = api_key.strip()
    if not key:
        raise AgentLatticeError("MISSING_API_KEY", "AgentLattice needs an api_key; or set AL_API_KEY")
    if not key.isascii() or not key.isprintable():
        raise AgentLatticeError("INVALID_ARGUMENT", "api_key must be printable ASCII")
    try:
        url = httpx.URL(base_url.rstrip("/"))
    except httpx.InvalidURL as error:
        raise AgentLatticeError("INVALID_ARGUMENT", f"base_url is no address: {error}") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise AgentLatticeError("INVALID_ARGUMENT", "base_url must begin with http:// or https://")
    headers = {"Authorization": f"Bearer {key}"}
    return Transport(
        base_url.rstrip("/"), headers, timeout, retry_for, Connections(timeout, encrypted=url.scheme == "https")
    )


def segment(value: str, name: str) -> str:
    """A value as one segment of a path."""
    if not isinstance(value, str) or value in ("", ".", ".."):
        raise AgentLatticeError("INVALID_ARGUMENT", f"{name} must be an id")
    return quote(value, safe="")


def _may_repeat(request: Request, failure: AgentLatticeError) -> bool:
    if isinstance(failure, AgentLatticeConnectionError):
        return request.repeatable or isinstance(failure.details, _NEVER_LEFT)
    # A request over the rate limit was refused before it could take effect.
    return failure.status == 429 or (request.repeatable and failure.status in _TRY_AGAIN)


def _delays() -> Iterator[float]:
    """Seconds between attempts: doubled each time, with jitter so that many clients do not come at once."""
    longest = _FIRST_DELAY_S
    while True:
        yield longest * random.uniform(0.5, 1.0)  # noqa: S311  # not for secrets
        longest = min(longest * 2, _LONGEST_DELAY_S)


def _retry_after(response: httpx.Response) -> float:
    text = response.headers.get("retry-after", "")
    return float(text) if text.isdecimal() and len(text) < 6 else 0.0


def _error_of(response: httpx.Response) -> Optional[AgentLatticeError]:
    if response.is_success:
        return None
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        problem = None
    said = problem if isinstance(problem, dict) else {}
    code, message = said.get("error"), said.get("message") or said.get("detail")
    # A redirect is not followed: the key must not go to another address.
    default = "API_ERROR" if response.status_code >= 400 else "UNEXPECTED_ANSWER"
    return AgentLatticeError(
        code if isinstance(code, str) else default,
        message if isinstance(message, str) else f"The server answered HTTP {response.status_code}",
        said,
        status=response.status_code,
        request_id=response.headers.get("x-request-id"),
    )


def _json_of(response: httpx.Response) -> Any:
    try:
        return response.json()
    except (ValueError, RecursionError) as error:
        raise AgentLatticeError(
            "UNEXPECTED_ANSWER",
            "The answer is not JSON; is base_url the address of the gateway?",
            status=response.status_code,
            request_id=response.headers.get("x-request-id"),
        ) from error
