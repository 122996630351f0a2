"""Liveness for health checks that must not depend on Redis: a file that a working process touches every few seconds.

`python -m tenfold.worker.observability.liveness_file FILE SECONDS` succeeds while FILE was touched in the last SECONDS.
It imports almost nothing, since containers run it often.
"""

import sys
import threading
import time
from pathlib import Path

# Well below the half minute after which a check calls a process dead.
BEAT_SECONDS = 5.0


def beat(file: Path | None) -> None:
    """Touch the file, if there is one."""
    if file is not None:
        file.touch()


def beat_forever(file: Path | None) -> None:
    """Start a thread that beats until the process ends."""
    if file is None:
        return

    def run() -> None:
        while True:
            beat(file)
            time.sleep(BEAT_SECONDS)

    threading.Thread(target=run, name="heartbeat", daemon=True).start()


def is_fresh(file: Path, within_seconds: float) -> bool:
    """Whether the file was touched within this many seconds."""
    try:
        return time.time() - file.stat().st_mtime <= within_seconds
    except FileNotFoundError:
        return False


if __name__ == "__main__":
    if not is_fresh(Path(sys.argv[1]), float(sys.argv[2])):
        sys.exit(f"No heartbeat in {sys.argv[1]} for {sys.argv[2]} seconds.")
