"""Serves everything below a path prefix, for reverse proxies that serve other things at the root."""

from collections.abc import Callable, Iterable
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PathPrefix:
    """Sets SCRIPT_NAME to the prefix, whether or not the proxy removed it from the path. Health checks
    bypass the proxy and work without it.

    Args:
        prefix: such as `/tenfold`, without a trailing slash.
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
