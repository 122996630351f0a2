"""Every document has an ETag and is answered with `304` where nothing changed; text is compressed on its way.

Files go out as they lie, with `Range`, unless they are small text.
"""

from collections.abc import Callable

from flask import Flask, Response, request
from flask_compress import Compress
from werkzeug.exceptions import PreconditionFailed

from web.api import api

# Up to this size a text file is read into memory, to be compressed.
MOST_COMPRESSED_BYTES = 4 << 20

# What is smaller goes out at once anyhow, and most polls' answers are.
LEAST_COMPRESSED_BYTES = 2048

# No pages: they hold secrets beside what a request can put into them, and their length would tell (BREACH).
COMPRESSED = (
    "application/json",
    "application/problem+json",
    "application/jsonl",
    "text/csv",
    "text/plain",
)


def compress(app: Flask) -> None:
    """Compress whatever is worth it. What is streamed stays as it is: large files, and events."""
    app.config.update(
        COMPRESS_MIMETYPES=COMPRESSED,
        COMPRESS_MIN_SIZE=LEAST_COMPRESSED_BYTES,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_STREAMS=False,
    )
    Compress(app)
    app.before_request(ignore_unusable_ranges)


def hold_if_small(response: Response, size: int) -> None:
    """Let a file of so few bytes be compressed, where no part of it is asked for."""
    if "Range" not in request.headers and size <= MOST_COMPRESSED_BYTES:
        response.direct_passthrough = False
        response.set_data(response.get_data())


@api.after_request
def name_the_state(response: Response) -> Response:
    """Give a document an ETag. It is weak: it names what the document says, however it is compressed."""
    if request.method in ("GET", "HEAD") and response.status_code == 200 and response.is_json:
        if "ETag" not in response.headers:
            response.add_etag(weak=True)
            response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
    return response


def with_strong_etag(response: Response) -> Response:
    """The state of something that can be put. Compression makes another tag of it, by a suffix."""
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    return response


def check_if_match(current: Callable[[], Response | None]) -> None:
    """Refuse to change what is not as the caller saw it, where `If-Match` says how they did.

    Args:
        current: makes what `GET` would answer, None where there is nothing.

    Raises:
        PreconditionFailed: it is otherwise.
    """
    wanted = request.if_match
    if not wanted:
        return
    there = current()
    etag = there and with_strong_etag(there).get_etag()[0]
    matches = there is not None and (wanted.star_tag or any(tag.partition(":")[0] == etag for tag in wanted))
    if not matches:
        raise PreconditionFailed("It is not as `If-Match` says: somebody changed it since. Fetch it again.")


def ignore_unusable_ranges() -> None:
    """By RFC 9110, `Range` is for `GET`, and one in a unit that is not known counts for nothing. Several ranges in one
    request are not served."""
    unit, given, ranges = request.headers.get("Range", "").partition("=")
    if request.method != "GET" or not given or unit.strip().lower() != "bytes" or "," in ranges:
        request.environ.pop("HTTP_RANGE", None)
