"""A sign of life for health checks that must not depend on Redis: a file whose time a working process keeps fresh.

`python -m worker.heartbeat FILE SECONDS` succeeds while FILE was touched in the last SECONDS. It imports next to
nothing, since containers run it again and again.
"""

import sys
import threading
import time
from pathlib import Path

# Often enough that a check may call a process dead after half a minute of silence.
BEAT_SECONDS = 5.0


def beat(file: Path | None) -> None:
    """Say that this process is alive; without a file there is nobody to tell."""
    if file is not None:
        file.touch()


def beat_for_ever(file: Path | None) -> None:
    """Start a thread that beats until the process ends."""
    if file is None:
        return

    def run() -> None:
        while True:
            beat(file)
            time.sleep(BEAT_SECONDS)

    threading.Thread(target=run, name="heartbeat", daemon=True).start()


def is_fresh(file: Path, within_seconds: float) -> bool:
    """Whether a process has beaten this lately."""
    try:
        return time.time() - file.stat().st_mtime <= within_seconds
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    if not is_fresh(Path(sys.argv[1]), float(sys.argv[2])):
        sys.exit(f"No sign of life in {sys.argv[1]} for {sys.argv[2]} seconds.")
