"""Too many requests at once: those that would wait for long are refused with `503` and `Retry-After`, and soon, rather
than stand in a line without end. Health checks and metrics are answered all the same."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, request

from web.logs import WATCHED
from web.problems import API_PREFIX, problem

# A refusal takes a fraction of a millisecond, unless its client is slow to send what is refused.
REFUSING_THREADS = 8

RETRY_AFTER_SECONDS = 2
BUSY = f"The server has more to do than it can do soon. Try again in {RETRY_AFTER_SECONDS} seconds."

_this_thread = threading.local()


class BoundedLine:
    """Gunicorn's pool of threads with a bound on what waits for one: threads of their own take what is beyond it, which
    `refuse_when_busy` then refuses.

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
        """Have a connection's next request handled."""
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


def refuse_when_busy(app: Flask) -> None:
    """Refuse what a refusing thread has taken, before anything else is done for it."""

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
