"""Collects how long each of several operations takes."""

import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Timings:
    """Seconds that each operation took, by its name, and the processor's seconds of this thread among them."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._processor: dict[str, float] = defaultdict(float)

    def of(self, name: str, action: Callable[[], T]) -> T:
        """Do it, and note how long it took."""
        processor, started = time.thread_time(), time.perf_counter()
        done = action()
        self._seconds[name].append(time.perf_counter() - started)
        self._processor[name] += time.thread_time() - processor
        return done

    def rows(self) -> list[dict[str, Any]]:
        """Of each operation: a second of them one after the other, and milliseconds of one."""
        return [
            {"operation": name} | summary(seconds) | {"processor_ms": 1000 * self._processor[name] / len(seconds)}
            for name, seconds in self._seconds.items()
        ]


def summary(seconds: list[float]) -> dict[str, float]:
    """How often, the median and the 99th percentile in milliseconds, and how many fit into a second by the mean."""
    ordered = sorted(seconds)
    return {
        "count": len(ordered),
        "a_second": len(ordered) / sum(ordered),
        "p50_ms": 1000 * statistics.median(ordered),
        "p99_ms": 1000 * ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))],
    }
