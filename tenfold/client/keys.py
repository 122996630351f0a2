"""Which key a server is sent: only one that was set for it."""

import os

from tenfold.client.start_token import find_token


def key_for(server: str, key: str | None = None) -> str | None:
    """The key that was given (an empty one is none), else TENFOLD_KEY, else the token of a server that this user runs
    on this machine.

    TENFOLD_KEY goes to the server that TENFOLD_SERVER names, and to no other where that is set.
    """
    if key is not None:
        return key or None
    named = os.environ.get("TENFOLD_SERVER")
    if not named or named.rstrip("/") == server.rstrip("/"):
        key = os.environ.get("TENFOLD_KEY")
    return key or find_token(server)
