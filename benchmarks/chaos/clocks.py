"""Clocks that can be moved while processes run.

`python -m benchmarks.chaos.clocks FILE MODULE [ARGUMENT…]` runs a module whose `time.time()` is as many seconds off as
FILE says. What counts seconds (`time.monotonic()`, `time.sleep()`) goes on as it is, as when a machine's clock is set.
"""

import runpy
import sys
import time
from collections.abc import Callable
from pathlib import Path

# How soon a process notices that its clock was moved.
LOOK_SECONDS = 0.1


class MovableClock:
    """The clock on the wall of the processes that are started with `command`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.move(0)

    def command(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "benchmarks.chaos.clocks", str(self._file), module, *arguments]

    def move(self, seconds: float) -> None:
        """Let it be so many seconds ahead of the true time, or behind."""
        written = self._file.with_suffix(".new")
        written.write_text(str(seconds))
        written.replace(self._file)


def moved(true: Callable[[], float], file: Path) -> Callable[[], float]:
    """A clock that is as far from the true one as the file says."""
    off, looked_at = 0.0, -LOOK_SECONDS

    def now() -> float:
        nonlocal off, looked_at
        if time.monotonic() - looked_at >= LOOK_SECONDS:
            off, looked_at = float(file.read_text()), time.monotonic()
        return true() + off

    return now


if __name__ == "__main__":
    time.time = moved(time.time, Path(sys.argv[1]))
    del sys.argv[:2]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
