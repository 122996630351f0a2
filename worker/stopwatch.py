"""Adds up what the stages of one step take, read only once for a run of images and never for each."""

import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from prometheus_client import Histogram

from worker.states import StepKind
from worker.tracing import note

T = TypeVar("T")


class Stopwatch:
    """Seconds by stage. Several threads may use it."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._lock = threading.Lock()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Add what the block takes."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._add(name, time.perf_counter() - started)

    def each(self, name: str, items: Iterable[T]) -> Iterator[T]:
        """The items; what getting each of them takes is added."""
        source = iter(items)
        while True:
            with self.stage(name):
                try:
                    item = next(source)
                except StopIteration:
                    return
            yield item

    def observe(self, seconds: Histogram, kind: StepKind) -> None:
        """Tell the metric, which has the labels `kind` and `stage`, and the step's trace."""
        for stage, spent in self.seconds.items():
            seconds.labels(kind.value, stage).observe(spent)
        note({f"tenfold.stage.{stage}_seconds": round(spent, 6) for stage, spent in self.seconds.items()})

    def _add(self, name: str, seconds: float) -> None:
        with self._lock:
            self.seconds[name] += seconds
