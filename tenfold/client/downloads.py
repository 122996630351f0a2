"""A file on its way here: after a broken connection it goes on where it stopped, as long as it is the same file."""

import re
from collections.abc import Callable
from pathlib import Path

import httpx

from tenfold.client.errors import UnexpectedAnswer, check

CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(?:\d+|\*)")


class Download:
    """What has arrived of one file.

    Args:
        path: where it is written; what is there already counts for nothing.
        on_bytes: called with the size of each piece, and with minus what is thrown away.
    """

    def __init__(self, http: httpx.Client, url: str, path: Path, on_bytes: Callable[[int], None]) -> None:
        self._http = http
        self._url = url
        self._path = path
        self._on_bytes = on_bytes
        self._arrived = 0
        self._etag: str | None = None

    def go_on(self) -> None:
        """Ask for what is lacking. A file that was replaced since is fetched from the start: `If-Range` has the server
        send only what belongs to what is here.

        Raises:
            httpx.TransportError: the connection broke; what arrived is kept for the next call.
            ServerError: the server refused.
        """
        headers = {}
        if self._arrived and self._etag:
            headers = {"Range": f"bytes={self._arrived}-", "If-Range": self._etag}
        with self._http.stream("GET", self._url, headers=headers) as response:
            if not (headers and self._is_whole(response)):
                self._take(check(response))

    def _is_whole(self, response: httpx.Response) -> bool:
        """Whether nothing is lacking: the connection broke after the last byte."""
        nothing_there = response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE
        return nothing_there and response.headers.get("Content-Range") == f"bytes */{self._arrived}"

    def _take(self, response: httpx.Response) -> None:
        goes_on = response.status_code == httpx.codes.PARTIAL_CONTENT
        if goes_on and not self._continues(response):
            raise UnexpectedAnswer(response, " with another part of the file than was asked for")
        if not goes_on:
            self._forget()
        etag = response.headers.get("ETag", "")
        self._etag = None if not etag or etag.startswith("W/") else etag
        with self._path.open("ab" if goes_on else "wb") as file:
            for piece in response.iter_bytes():
                file.write(piece)
                self._arrived += len(piece)
                self._on_bytes(len(piece))

    def _continues(self, response: httpx.Response) -> bool:
        found = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        starts_here = found is not None and found[1] == str(self._arrived)
        return starts_here and response.headers.get("ETag", self._etag) == self._etag

    def _forget(self) -> None:
        if self._arrived:
            self._on_bytes(-self._arrived)
        self._arrived = 0
