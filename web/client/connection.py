"""The line to one server: requests that are sent again where that may help, pages of lists, files."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from web.client.errors import ServerAway, check
from web.client.retries import once_only, retrying_transport
from web.documents import FileLine

DEFAULT_SERVER = "http://127.0.0.1:8000"
RETRIES = 5
TIMEOUT_SECONDS = 60

IDEMPOTENCY_KEY = "Idempotency-Key"


class Connection:
    """What `Client` is made with, and does everything by."""

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
        key = key or os.environ.get("TENFOLD_KEY")
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
        return check(self.send(method, path, **options))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call of the API, whatever the answer; sent again where that may help, so for calls that do no harm twice.

        Raises:
            ServerAway: no server answers.
        """
        try:
            return self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._away(error) from error

    def listed(self, path: str, what: str, query: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """What a list of the API has, page after page; each is asked for when the one before is used up.

        Args:
            what: the name of the list in the document: `jobs`, `models`.
        """
        page = self.request("GET", path, params=query or {}).json()
        yield from page[what]
        while page["next"]:
            page = self.request("GET", f"{self.server}{page['next']}").json()
            yield from page[what]

    def fetch_files(
        self, files: Sequence[FileLine], directory: Path, on_bytes: Callable[[int], None] = lambda count: None
    ) -> list[Path]:
        """Download these files into a directory, made if missing."""
        directory.mkdir(parents=True, exist_ok=True)
        return [self.download(file["href"], directory / file["name"], on_bytes) for file in files]

    def download(self, href: str, path: Path, on_bytes: Callable[[int], None] = lambda count: None) -> Path:
        """Save one file of the server's; it appears at `path` only when it has arrived whole.

        A download that breaks off goes on where it stopped.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f".{path.name}.part")
        partial.unlink(missing_ok=True)
        for tries_left in reversed(range(self._retries + 1)):
            try:
                for piece in self._pieces_of(href, partial):
                    on_bytes(len(piece))
                return partial.rename(path)
            except httpx.TransportError as error:
                if not tries_left:
                    raise self._away(error) from error
        raise AssertionError("unreachable")

    def _pieces_of(self, href: str, partial: Path) -> Iterator[bytes]:
        """What is still lacking of a file, each piece once it is written."""
        start = partial.stat().st_size if partial.exists() else 0
        headers = {"Range": f"bytes={start}-"} if start else {}
        with self._http.stream("GET", f"{self.server}{href}", headers=headers) as response:
            check(response)
            with partial.open("ab" if response.status_code == httpx.codes.PARTIAL_CONTENT else "wb") as file:
                for piece in response.iter_bytes():
                    file.write(piece)
                    yield piece

    def _away(self, error: httpx.TransportError) -> ServerAway:
        return ServerAway(
            f"No Tenfold server answers at {self.server} ({error}). "
            "Start one with `tenfold up`, or name another with TENFOLD_SERVER."
        )
