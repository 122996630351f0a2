"""What the documents of several resources have in common."""

from datetime import UTC, datetime
from typing import overload

from typing_extensions import TypedDict


class SelfLink(TypedDict):
    self: str


@overload
def timestamp(seconds: float) -> str: ...


@overload
def timestamp(seconds: float | None) -> str | None: ...


def timestamp(seconds: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 in UTC, to the millisecond."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
