"""What can go wrong between the client and its server."""

from typing import Any

import httpx


class ServerError(Exception):
    """The server refused a request. `status` is the HTTP status, `problem` the problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"HTTP {status}")
        self.status = status
        self.problem = problem


class ServerAway(Exception):
    """No server answers at the address."""


class JobFailed(Exception):
    """A job's outcome was asked for, and it has failed, was cancelled, or has not ended."""


def check(response: httpx.Response) -> httpx.Response:
    """The response, if it is no refusal.

    Raises:
        ServerError: it is one.
    """
    if response.is_error:
        response.read()
        is_json = "json" in response.headers.get("Content-Type", "")
        raise ServerError(response.status_code, response.json() if is_json else {"detail": response.text})
    return response
