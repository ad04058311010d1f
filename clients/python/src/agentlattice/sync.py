"""The `_sync` twins: every coroutine runs on one private event loop in a background thread.

So a twin works inside and outside of a running event loop, and connections outlive a call. A twin blocks its thread;
inside a coroutine `await` the other method instead.
"""

from __future__ import annotations

import asyncio
import functools
import os
import threading
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Optional, TypeVar, cast

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

R = TypeVar("R")
S = TypeVar("S")

#: How long an interrupted call (Ctrl-C) may take to withdraw its request, in seconds.
_INTERRUPTED_S = 6.0


class _BackgroundLoop:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._thread: Optional[threading.Thread] = None

    def started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="agentlattice-sync", daemon=True)
                self._thread.start()
            return self._loop

    def running(self) -> Optional[asyncio.AbstractEventLoop]:
        return self._loop

    def is_current_thread(self) -> bool:
        return threading.current_thread() is self._thread


_background = _BackgroundLoop()


def _after_fork() -> None:
    # The thread exists in the parent only; the child starts its own.
    global _background
    _background = _BackgroundLoop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def background_loop() -> Optional[asyncio.AbstractEventLoop]:
    """The loop of the twins, once there is one."""
    return _background.running()


def run_sync(coroutine: Coroutine[Any, Any, R]) -> R:
    """Runs a coroutine on the background loop and waits for its result.

    When the waiting thread is interrupted, the coroutine is cancelled and gets a moment to end in order.
    """
    if _background.is_current_thread():
        coroutine.close()
        raise RuntimeError("A _sync method cannot be called on the client's own event loop; await the async one")
    ended = threading.Event()

    async def run() -> R:
        try:
            return await coroutine
        finally:
            ended.set()

    future = asyncio.run_coroutine_threadsafe(run(), _background.started())
    try:
        return future.result()
    except BaseException:
        if not future.done():
            future.cancel()
            ended.wait(_INTERRUPTED_S)
        raise


def sync_twin(method: Callable[Concatenate[S, P], Coroutine[Any, Any, R]]) -> Callable[Concatenate[S, P], R]:
    """The synchronous form of an async method."""

    @functools.wraps(method)
    def twin(self: S, *args: P.args, **kwargs: P.kwargs) -> R:
        return run_sync(method(self, *args, **kwargs))

    twin.__name__ = f"{method.__name__}_sync"
    twin.__qualname__ = f"{method.__qualname__}_sync"
    twin.__doc__ = f"Synchronous form of `{method.__name__}`: same arguments, result and errors."
    del twin.__wrapped__  # inspect must not take the twin for a coroutine function
    return cast("Callable[Concatenate[S, P], R]", twin)
