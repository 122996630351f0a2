"""Ends a process when its parent ends, however that happens."""

import ctypes
import os
import signal

# PR_SET_PDEATHSIG of Linux' prctl(2): the signal sent when the thread that started this process ends.
_SET_PARENT_DEATH_SIGNAL = 1

_libc = ctypes.CDLL(None, use_errno=True)


def exit_with_parent(parent: int) -> None:
    """Call in the child between fork and exec: it gets SIGTERM when the process `parent` ends."""
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the line above
        os.kill(os.getpid(), signal.SIGTERM)
