"""Memory and open files of the stack's processes over time, and whether they grow."""

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.service.processes import Usage, usages

SAMPLE_SECONDS = 5.0

# What is looked at is what comes after this share of the time: caches fill and networks are compiled before.
WARM_UP = 1 / 3


@dataclass(frozen=True)
class Trend:
    """Of one figure after the warm-up: how much it grows an hour, by least squares, and its medians in the first and
    the last quarter of that time."""

    an_hour: float
    first: float
    last: float

    @classmethod
    def of(cls, at: list[float], values: list[float]) -> "Trend":
        """
        Args:
            at: seconds.
        """
        begin = at[0] + WARM_UP * (at[-1] - at[0])
        kept = [(second, value) for second, value in zip(at, values, strict=True) if second >= begin]
        seconds, looked_at = np.array(kept).T
        quarter = max(1, len(looked_at) // 4)
        return cls(
            an_hour=3600 * float(np.polyfit(seconds, looked_at, 1)[0]),
            first=float(np.median(looked_at[:quarter])),
            last=float(np.median(looked_at[-quarter:])),
        )


class Sampler(threading.Thread):
    """Notes what the processes take every few seconds until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._samples: list[tuple[float, dict[str, Usage]]] = []

    def run(self) -> None:
        while not self._stopped.wait(SAMPLE_SECONDS):
            self._samples.append((time.monotonic() - self._began, usages()))

    def stop(self) -> None:
        self._stopped.set()
        self.join()

    def figures(self) -> dict[str, Any]:
        """By role: the curves, their trends, and how many processes there have been."""
        roles = sorted({role for _, sample in self._samples for role in sample})
        return {role: self._of(role) for role in roles}

    def _of(self, role: str) -> dict[str, Any]:
        seen = [(at, sample[role]) for at, sample in self._samples if role in sample]
        at = [second for second, _ in seen]
        megabytes = [usage.memory_bytes / 1e6 for _, usage in seen]
        files = [float(usage.open_files) for _, usage in seen]
        return {
            "seconds": at,
            "memory_mb": megabytes,
            "open_files": files,
            "memory_trend": vars(Trend.of(at, megabytes)),
            "files_trend": vars(Trend.of(at, files)),
            "processes": len({pid for _, usage in seen for pid in usage.pids}),
        }
