"""Which server the commands talk to."""

import os
from pathlib import Path

from web.client import Client

# `tenfold up` leaves its address here, in the directory it was started from.
LAST_STARTED = Path(".tenfold")


def connect() -> Client:
    """A client of the server that TENFOLD_SERVER names, else of the one last started here."""
    return Client(os.environ.get("TENFOLD_SERVER") or _last_started())


def remember(url: str) -> None:
    LAST_STARTED.write_text(url + "\n")


def _last_started() -> str | None:
    return LAST_STARTED.read_text().strip() if LAST_STARTED.is_file() else None
