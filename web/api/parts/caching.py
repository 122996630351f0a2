"""ETags, conditional requests, ranges and compression.

Files are sent as they are, with `Range`, unless they are small text files.
"""

from flask import Flask, Response, current_app, request
from flask_compress import Compress
from werkzeug.exceptions import MethodNotAllowed, NotFound, PreconditionFailed

from tenfold.worker.errors import WorkerError

# Text files up to this size are read into memory and compressed.
MAX_COMPRESSED_BYTES = 4 << 20

# Smaller answers, such as most polls, fit into a packet or two.
MIN_COMPRESSED_BYTES = 2048

# No HTML: pages hold secrets beside text from the request, which their compressed length would reveal (BREACH).
COMPRESSED = (
    "application/json",
    "application/problem+json",
    "application/jsonl",
    "text/csv",
    "text/plain",
)


def compress(app: Flask) -> None:
    """Compress answers, except streams: large files and events."""
    app.config.update(
        COMPRESS_MIMETYPES=COMPRESSED,
        COMPRESS_MIN_SIZE=MIN_COMPRESSED_BYTES,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_STREAMS=False,
    )
    Compress(app)
    app.before_request(ignore_unusable_ranges)


def hold_if_small(response: Response, size: int) -> None:
    """Let a small file be compressed, unless a range of it is requested."""
    if "Range" not in request.headers and size <= MAX_COMPRESSED_BYTES:
        response.direct_passthrough = False
        response.set_data(response.get_data())


def add_etag(response: Response) -> Response:
    """Give a document a weak ETag: compressed or not, it has the same one."""
    if request.method in ("GET", "HEAD") and response.status_code == 200 and response.is_json:
        if "ETag" not in response.headers:
            response.add_etag(weak=True)
            response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
    return response


def with_strong_etag(response: Response) -> Response:
    """Give a strong ETag, for `If-Match`. Compression adds a suffix to it."""
    response.add_etag()
    response.headers["Cache-Control"] = "no-cache"
    return response


def check_if_match() -> None:
    """Refuse a change where `If-Match` has no tag of what `GET` of the same address answers now (RFC 9110, 13.1.1).

    Weak tags never match. What has only a weak tag can be changed with `If-Match: *` or without the header.

    Raises:
        PreconditionFailed: no tag matches.
    """
    wanted = request.if_match
    if request.method in ("GET", "HEAD", "OPTIONS") or not request.headers.get("If-Match"):
        return
    etag, weak = _current_etag()
    matches = wanted.star_tag or (not weak and any(tag.partition(":")[0] == etag for tag in wanted))
    if not matches:
        raise PreconditionFailed("The resource does not match `If-Match`: it has changed since. Fetch it again.")


def _current_etag() -> tuple[str | None, bool]:
    """The tag that `GET` answers with, and whether it is weak.

    Raises:
        PreconditionFailed: nothing can be fetched from this address now.
    """
    routes = current_app.create_url_adapter(request)
    assert routes is not None
    try:
        endpoint, arguments = routes.match(method="GET")
        answer = current_app.make_response(current_app.view_functions[endpoint](**arguments))  # type: ignore[arg-type]
    except (MethodNotAllowed, NotFound, WorkerError) as error:
        if isinstance(error, WorkerError) and request.method != "PUT":
            raise
        raise PreconditionFailed("There is nothing at this address that `If-Match` could match.") from error
    etag, weak = answer.get_etag()
    return etag, weak or etag is None


def ignore_unusable_ranges() -> None:
    """Ignore `Range` if the method is not `GET`, the unit is unknown (RFC 9110), or there are several ranges."""
    unit, given, ranges = request.headers.get("Range", "").partition("=")
    if request.method != "GET" or not given or unit.strip().lower() != "bytes" or "," in ranges:
        request.environ.pop("HTTP_RANGE", None)
