"""The real application behind a real socket, and a gateway before it that can lose requests and answers."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Gateway:
    """Passes requests on, but those that it was told to treat otherwise; remembers what came.

    `refuse` are answers given instead of asking the application; `lose` are given after it has done its work.
    """

    def __init__(self, application: Wsgi) -> None:
        self._application = application
        self.refuse: list[tuple[HTTPStatus, list[tuple[str, str]]]] = []
        self.lose: list[HTTPStatus] = []
        self.requests: list[dict[str, Any]] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append(environ)
        if self.refuse:
            status, headers = self.refuse.pop(0)
            start_response(f"{status.value} {status.phrase}", headers)
            return [b""]
        if self.lose:
            status = self.lose.pop(0)
            list(self._application(environ, lambda *answer: None))
            start_response(f"{status.value} {status.phrase}", [])
            return [b""]
        return self._application(environ, start_response)


@contextmanager
def served(application: Wsgi) -> Iterator[str]:
    """The application at an address of its own, for as long as the block lasts."""
    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass
