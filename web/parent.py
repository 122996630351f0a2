"""Lets a process end when the one that started it does, however that one ended."""

import ctypes
import os
import signal

# Of Linux (prctl(2), PR_SET_PDEATHSIG): the signal to get when the thread that started this process ends.
_SET_PARENT_DEATH_SIGNAL = 1

_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(parent: int) -> None:
    """To be called in the child between fork and exec: it gets SIGTERM when the process `parent` ends."""
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the line above
        os.kill(os.getpid(), signal.SIGTERM)
