"""Measures the stages of one step."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import Histogram

from tenfold.worker.db.states import StepKind
from tenfold.worker.observability.tracing import note

T = TypeVar("T")


class Stopwatch:
    """Seconds by stage. Thread-safe. Time a batch of images, never each one."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add the seconds that the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - started)

    def each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """Yield the items, adding the seconds spent waiting for each."""
        source = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item

    def observe(self, seconds: Histogram, kind: StepKind) -> None:
        """Record all stages in the metric, which has the labels `kind` and `stage`, and in the step's trace."""
        for stage, spent in self.seconds.items():
            seconds.labels(kind.value, stage).observe(spent)
        note({f"tenfold.stage.{stage}_seconds": round(spent, 6) for stage, spent in self.seconds.items()})

    def _add(self, name: str, seconds: float) -> None:
        with self._lock:
            self.seconds[name] += seconds
