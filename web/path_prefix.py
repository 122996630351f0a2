"""Serves everything below a path, as behind a reverse proxy that has other things at the root."""

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PathPrefix:
    """Tells the application its prefix, whether the proxy left it in the path or took it away.

    Health checks, which come without the proxy, reach it without the prefix.

    Args:
        application: what is served.
        prefix: as `/tenfold`, without a slash at its end.
    """

    def __init__(self, application: Wsgi, prefix: str) -> None:
        self._application = application
        self._prefix = prefix

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == self._prefix or path.startswith(f"{self._prefix}/"):
            environ["PATH_INFO"] = path[len(self._prefix) :] or "/"
        environ["SCRIPT_NAME"] = self._prefix
        return self._application(environ, start_response)
