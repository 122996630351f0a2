"""Runs a function in a process of its own, and says how much memory and how many files that took."""

import multiprocessing
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PATIENCE_SECONDS = 300


@dataclass(frozen=True)
class Outcome:
    """What was returned, how many bytes the peak of memory rose by meanwhile, and how many files were left open."""

    value: Any
    grown_bytes: int
    files_left_open: int


def measured(work: Callable[..., Any], *arguments: Any) -> Outcome:
    """What came of it. A fresh interpreter does it, so nothing that the tests hold is counted."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply_async(_measure, (work, arguments)).get(PATIENCE_SECONDS)


def _measure(work: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
    before, opened = _peak(), _open_files()
    value = work(*arguments)
    return Outcome(value, _peak() - before, _open_files() - opened)


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _open_files() -> int:
    return len(os.listdir("/proc/self/fd"))
