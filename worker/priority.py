"""Lowers the priority of the processes that train and classify in bulk below those that people wait for."""

import os
from pathlib import Path

# A tenth of the processor's time beside one process that does not give way; all of it while nobody else wants it.
NICENESS = 10

# With autogrouping Linux shares the processor among sessions first, and niceness counts only within a session.
SESSION_NICENESS = Path("/proc/self/autogroup")


def give_way() -> None:
    """Let this process, a child of a worker, run after the web and the predictor when the processor is contended.

    In containers niceness counts only within each; docker-compose.yml gives the worker's fewer shares instead.
    """
    os.nice(NICENESS)
    # A worker that was started by hand shares its session with the shell, which must not be slowed down.
    worker_has_own_session = os.getsid(0) == os.getppid()
    if worker_has_own_session and SESSION_NICENESS.exists():
        try:
            SESSION_NICENESS.write_text(str(NICENESS))
        except OSError:  # another child has just done it, or the system forbids it: give way as far as allowed
            return
