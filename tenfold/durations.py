"""A length of time in words, as rough as an estimate is."""

from datetime import UTC, datetime


def about(seconds: float) -> str:
    """`about 40 s`, `about 3 min`, `about 2 h 10 min`."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds / 5) * 5} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} min"
    hours, minutes = divmod(round(seconds / 600) * 10, 60)
    return f"about {hours} h {minutes} min" if minutes else f"about {hours} h"


def age(timestamp: str, now: datetime | None = None) -> str:
    """How long ago an RFC 3339 time was: `12 s`, `3 min`, `5 h`, `4 d`."""
    seconds = max(0, int(((now or datetime.now(UTC)) - datetime.fromisoformat(timestamp)).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
