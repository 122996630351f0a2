"""Errors of the client."""

import json
from collections.abc import Collection
from typing import Any

import httpx

# How much of an answer that cannot be understood is shown.
SHOWN_CHARACTERS = 80


class ServerError(Exception):
    """The server refused a request.

    `status` is the HTTP status, `code` the machine-readable code (docs/reference/errors.md) or None, `request_id`
    what the server's log has the request under or None, `problem` the problem document.
    """

    def __init__(self, status: int, problem: dict[str, Any], request_id: str | None = None) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem
        self.code: str | None = problem.get("code")
        self.request_id: str | None = problem.get("request_id") or request_id


class UnexpectedAnswer(ServerError):
    """What came is no answer of a Tenfold server: a redirect, the page of a proxy or of a network's sign-in, or a
    document of another form. The message has the address and what came."""

    def __init__(self, response: httpx.Response, what: str) -> None:
        detail = (
            f"{_address(response)} does not answer as a Tenfold server: {response.status_code} "
            f"{response.reason_phrase}{what}. Check the server's address, and what is between it and this computer."
        )
        super().__init__(response.status_code, {"detail": detail}, response.headers.get("X-Request-ID"))


class ServerAway(Exception):
    """No server answers at the address, or the connection to it broke."""


class JobFailed(Exception):
    """A job's outcome was asked for, and it has failed, was cancelled, or has not ended."""


def check(response: httpx.Response) -> httpx.Response:
    """The response, if it is neither a refusal nor of something else than a Tenfold server.

    Raises:
        ServerError: it is a refusal.
        UnexpectedAnswer: it is no answer of Tenfold's.
    """
    if response.has_redirect_location:
        raise UnexpectedAnswer(response, f" to {response.headers['Location'][:200]}")
    if response.is_error:
        response.read()
        problem = _parsed(response)
        if isinstance(problem, dict):
            raise ServerError(response.status_code, problem, response.headers.get("X-Request-ID"))
        raise UnexpectedAnswer(response, _what_came(response))
    if response.status_code in (httpx.codes.NO_CONTENT, httpx.codes.NOT_MODIFIED):
        return response
    if not response.is_success or _media_type(response) in ("text/html", "application/xhtml+xml"):
        response.read()
        raise UnexpectedAnswer(response, _what_came(response))
    return response


def json_object(response: httpx.Response, needs: Collection[str] = ()) -> Any:
    """The JSON object of an answer.

    Args:
        needs: what it has at least.

    Raises:
        UnexpectedAnswer: it is none, or lacks some of that.
    """
    document = _parsed(check(response))
    if not isinstance(document, dict):
        raise UnexpectedAnswer(response, _what_came(response))
    if missing := [name for name in needs if name not in document]:
        raise UnexpectedAnswer(response, f" with JSON that lacks {', '.join(missing)}")
    return document


def content_of(response: httpx.Response, media_type: str) -> bytes:
    """The content of an answer.

    Args:
        media_type: what it begins with, such as `image/`.

    Raises:
        UnexpectedAnswer: it is of another type.
    """
    if not _media_type(check(response)).startswith(media_type):
        raise UnexpectedAnswer(response, _what_came(response))
    return response.content


def _parsed(response: httpx.Response) -> Any:
    """None where it is no JSON."""
    if "json" not in _media_type(response):
        return None
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _what_came(response: httpx.Response) -> str:
    kind, text = _media_type(response), response.text.strip()
    shown = f", which begins {text[:SHOWN_CHARACTERS]!r}" if text else ""
    if not text:
        return " without any content"
    if kind == "text/html":
        return f" with an HTML page{shown}"
    if "json" in kind:
        return f" with JSON that is no object, or is cut off{shown}"
    return f" with {kind or 'content of no type'}{shown}"


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("Content-Type", "")).partition(";")[0].strip().lower()


def _address(response: httpx.Response) -> str:
    return str(response.request.url.copy_with(userinfo=b"", query=None))
