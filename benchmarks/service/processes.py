"""What the processes of a running stack take: memory, open files and processor time, by what they are."""

import os
from dataclasses import dataclass

import psutil

# What a process is, by what its command line has in it.
ROLES = {
    "web": "tenfold.web.serve",
    "bare": "benchmarks.service.bare",
    "worker": "tenfold.worker.process.main",
    "predictor": "tenfold.worker.predictions.predictor",
    "redis": "redis-server",
}


@dataclass(frozen=True)
class Usage:
    """Of all processes of one role together. Of memory that several share each counts for its part."""

    memory_bytes: int
    open_files: int
    cpu_seconds: float
    pids: tuple[int, ...]


def usages() -> dict[str, Usage]:
    """Of everything that this process has started, by role. A process that ends meanwhile is left out."""
    found: dict[str, Usage] = {}
    for child in psutil.Process(os.getpid()).children():
        role = _role(child)
        if role is not None:
            found[role] = _usage(child)
    return found


def cpu_seconds(role: str) -> float:
    usage = usages().get(role)
    return 0.0 if usage is None else usage.cpu_seconds


def _role(process: psutil.Process) -> str | None:
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return None
    return next((role for role, mark in ROLES.items() if mark in command), None)


def _usage(parent: psutil.Process) -> Usage:
    memory, files, seconds, pids = 0, 0, 0.0, []
    for process in [parent, *parent.children(recursive=True)]:
        try:
            with process.oneshot():
                times = process.cpu_times()
                memory += process.memory_full_info().pss
                files += process.num_fds()
                seconds += times.user + times.system
                pids.append(process.pid)
        except psutil.Error:
            continue
    return Usage(memory, files, seconds, tuple(pids))
