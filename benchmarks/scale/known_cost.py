"""Work of which one knows beforehand what it costs."""

import time
from typing import Literal

Kind = Literal["sleep", "spin"]


def spend(kind: Kind, milliseconds: float) -> None:
    """Take so long, waiting or computing. What is computed counts in this thread's own time, however busy the
    processor is."""
    if kind == "sleep":
        time.sleep(milliseconds / 1000)
        return
    until = time.thread_time() + milliseconds / 1000
    while time.thread_time() < until:
        pass
