"""The connection to one server: requests with retries, pages of lists, downloads."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx

from tenfold.client.downloads import Download
from tenfold.client.errors import ServerAway, UnexpectedAnswer, check, json_object
from tenfold.client.keys import key_for
from tenfold.client.retries import once_only, retrying_transport

if TYPE_CHECKING:
    from tenfold.web.api.documents.jobs import FileItem

DEFAULT_SERVER = "http://127.0.0.1:8000"
RETRIES = 5
TIMEOUT_SECONDS = 60

# Items requested at a time.
MAX_ON_A_PAGE = 500

IDEMPOTENCY_KEY = "Idempotency-Key"

# Nothing was sent.
NOT_REACHED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.UnsupportedProtocol)


class Connection:
    """The base of `Client`: sends requests and downloads files."""

    def __init__(
        self,
        server: str | None = None,
        *,
        key: str | None = None,
        retries: int = RETRIES,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self.server = (server or os.environ.get("TENFOLD_SERVER") or DEFAULT_SERVER).rstrip("/")
        self._retries = retries
        _check_address(self.server)
        key = key_for(self.server, key)
        self._http = httpx.Client(
            base_url=f"{self.server}/api/v1/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=timeout_seconds,
            transport=retrying_transport(retries),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def address_of(self, href: str) -> str:
        """The whole address of a path that the server gave. The path has the prefix that the server may have."""
        server = urlsplit(self.server)
        return f"{server.scheme}://{server.netloc}/{href.lstrip('/')}"

    def close(self) -> None:
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API. A POST without an idempotency key is not sent again once it may have arrived.

        Raises:
            ServerError: the server refused it.
            ServerAway: no server answers.
        """
        if method == "POST" and IDEMPOTENCY_KEY not in options.get("headers", {}):
            options["extensions"] = once_only(self._retries)
        response = check(self.send(method, path, **options))
        if method == "DELETE" and response.status_code != httpx.codes.NO_CONTENT:
            raise UnexpectedAnswer(response, " where nothing was to be said")
        return response

    def document(self, method: str, path: str, *, needs: Collection[str] = (), **options: Any) -> Any:
        """The JSON object that a call answers with.

        Args:
            needs: the fields that it has at least.

        Raises:
            ServerError: the server refused it, or what answered is no Tenfold server.
            ServerAway: no server answers.
        """
        return json_object(self.request(method, path, **options), needs)

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API, whatever the answer; sent again where that may help, so for calls that do no harm twice.

        Raises:
            ServerAway: no server answers.
        """
        try:
            return self._http.request(method, path, **options)
        except httpx.RequestError as error:
            raise self._away(error) from error

    def listed(self, path: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """The items of a list, page after page; each page is fetched when the one before is used up."""
        page = self.document("GET", path, needs=("items", "next"), params=query or {})
        yield from page["items"]
        while page["next"]:
            page = self.document("GET", self.address_of(page["next"]), needs=("items", "next"))
            yield from page["items"]

    def fetch_files(
        self, files: Sequence[FileItem], directory: Path, on_bytes: Callable[[int], None] = lambda count: None
    ) -> list[Path]:
        """Download these files into a directory, made if missing."""
        directory.mkdir(parents=True, exist_ok=True)
        return [self.download(file["href"], directory / file["name"], on_bytes) for file in files]

    def download(self, href: str, path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> Path:
        """Save one file of the server's; it appears at `path` only when it has arrived whole.

        A download that breaks off goes on where it stopped, unless the file was replaced in between: then it begins
        again.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        download = Download(self._http, self.address_of(href), partial, on_bytes)
        for tries_left in reversed(range(self._retries + 1)):
            try:
                download.go_on()
                return partial.rename(path)
            except httpx.RequestError as error:
                if not tries_left:
                    raise self._away(error) from error
        raise AssertionError("unreachable")

    def _away(self, error: httpx.RequestError) -> ServerAway:
        if isinstance(error, NOT_REACHED):
            return ServerAway(
                f"No Tenfold server answers at {self.server} ({error}). "
                "Start one with `tenfold up`, or name another with TENFOLD_SERVER."
            )
        return ServerAway(
            f"The connection to {self.server} broke before the answer was whole ({error or type(error).__name__})."
        )


def _check_address(server: str) -> None:
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host:
        raise ServerAway(f"{server!r} is not the address of a server. Write it as {DEFAULT_SERVER}.")
