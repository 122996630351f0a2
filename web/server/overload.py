"""Refuses requests with `503` and `Retry-After` when too many wait; health checks and metrics are still answered."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from tenfold.web.core.problems import API_PREFIX, problem
from tenfold.web.server.logs import WATCHED

# A refusal takes a fraction of a millisecond, unless its client sends slowly.
REFUSING_THREADS = 8

RETRY_AFTER_SECONDS = 2
BUSY = f"The server is busy. Try again in {RETRY_AFTER_SECONDS} seconds."

_this_thread = threading.local()


class BoundedThreadPool:
    """Gunicorn's thread pool with a limit on waiting requests. Requests beyond it go to a few other threads, where
    `set_up_overload_refusals` refuses them.

    Args:
        threads: requests answered at the same time.
        most_waiting: requests that wait for one of these threads.
    """

    def __init__(self, threads: int, most_waiting: int) -> None:
        self._most_waiting = most_waiting
        self._answering = ThreadPoolExecutor(threads, thread_name_prefix="answering")
        self._refusing = ThreadPoolExecutor(REFUSING_THREADS, thread_name_prefix="refusing", initializer=_refuse_here)
        self._counting = threading.Lock()
        self._waiting = 0

    def submit(self, handle: Callable[[Any], Any], connection: Any) -> "Future[Any]":
        """Handle the next request of a connection."""
        with self._counting:
            if self._waiting >= self._most_waiting:
                return self._refusing.submit(handle, connection)
            self._waiting += 1
        return self._answering.submit(self._begin, handle, connection)

    def shutdown(self, wait: bool = True) -> None:
        for threads in (self._answering, self._refusing):
            threads.shutdown(wait=wait)

    def _begin(self, handle: Callable[[Any], Any], connection: Any) -> Any:
        with self._counting:
            self._waiting -= 1
        return handle(connection)


def set_up_overload_refusals(app: Flask) -> None:
    """Refuse requests on a refusing thread, before anything else is done for them."""

    def refuse() -> Response | None:
        if not getattr(_this_thread, "refuses", False) or request.path in WATCHED:
            return None
        if request.path.startswith(API_PREFIX):
            refusal = problem(HTTPStatus.SERVICE_UNAVAILABLE, BUSY, code="server_busy")
        else:
            refusal = Response(BUSY, HTTPStatus.SERVICE_UNAVAILABLE, mimetype="text/plain")
        refusal.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        return refusal

    app.before_request(refuse)


def _refuse_here() -> None:
    _this_thread.refuses = True
