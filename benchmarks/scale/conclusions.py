"""What follows from the rows: the law of each curve, and at how many shards a second each part is full."""

import os
from collections.abc import Sequence
from typing import Any

from benchmarks.scale.fitting import Law, fit

Row = dict[str, Any]


def laws(rows: Sequence[Row]) -> dict[tuple[str, str], Law]:
    """By database and kind of work: shards a second by workers."""
    curves: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row["part"] == "workers":
            curves.setdefault((row["database"], row["work"]), []).append(row)
    return {
        name: fit([row["workers"] for row in curve], [row["a_second"] for row in curve])
        for name, curve in curves.items()
    }


def limits(rows: Sequence[Row]) -> list[Row]:
    """At how many shards a second each part is full, were it alone: the least of them is the whole's.

    By the utilization law: who is busy for so many milliseconds with each can do a second's worth of them, Redis with
    its one thread, these cores with all processes together. What a database lets through was measured by itself.
    """
    found = []
    for database in dict.fromkeys(row["database"] for row in rows if row["part"] == "workers"):
        here = [row for row in rows if row.get("database") == database]
        waiting = [row for row in here if row["part"] == "workers" and row["work"] == "sleep"]
        fastest = max(waiting, key=lambda row: row["a_second"])
        spent = _processor_ms_each(waiting)
        through = [row["a_second"] for row in here if row["part"] == "contention" and row["action"] == "step"]
        full = {
            f"{_cores()} cores, by {sum(spent.values()):.1f} ms": _cores() * 1000 / sum(spent.values()),
            f"Redis, by {spent['redis']:.2f} ms": 1000 / spent["redis"] if spent["redis"] else None,
            "the database, by itself": max(through),
            f"as seen, with {fastest['workers']} workers": fastest["a_second"],
        }
        found += [
            {"part": "limits", "database": database, "limit": name, "a_second": rate} for name, rate in full.items()
        ]
    return found


def _processor_ms_each(rows: Sequence[Row]) -> dict[str, float]:
    """Of all their shards together, since a processor's time is counted in hundredths of a second."""
    count = sum(row["count"] for row in rows)
    parts = rows[0]["processor_ms_each"]
    return {part: sum(row["count"] * row["processor_ms_each"][part] for row in rows) / count for part in parts}


def as_rows(found: dict[tuple[str, str], Law]) -> list[Row]:
    return [
        {
            "part": "laws",
            "database": database,
            "work": work,
            "first": law.first,
            "contention": law.contention,
            "coherence": law.coherence,
            "best": _finite(law.best),
            "limit": _finite(law.limit),
        }
        for (database, work), law in found.items()
    ]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _finite(number: float) -> float | None:
    return number if number < float("inf") else None
