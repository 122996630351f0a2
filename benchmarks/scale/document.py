"""Puts the figures of a run into the tables of docs/benchmarks/scaling.md, each between its two marks."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = dict[str, Any]

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def with_figures(text: str, rows: Sequence[Row], machine: Mapping[str, Any]) -> str:
    """The document with each block `<!-- NAME -->` … `<!-- end -->` regenerated from these rows."""
    of: dict[str, list[Row]] = {}
    for row in rows:
        of.setdefault(row["part"], []).append(row)
    blocks = {
        "machine": f"Measured on {machine['at']}, with {machine['cores']} cores; before it began, "
        f"{machine['load'][0]:.0f} others wanted them.",
        "contention": _contention(of["contention"]),
        "overheads": _overheads(of["overheads"]),
        "workers": _workers(of["workers"]),
        "limits": _limits(of["limits"]),
    }
    for name, block in blocks.items():
        marked = re.compile(f"(?<=<!-- {name} -->\n).*?(?=\n<!-- end -->)", re.DOTALL)
        text = marked.sub(f"\n{block}\n", text, count=1)
    return text


def _contention(rows: Sequence[Row]) -> str:
    numbers = sorted({row["claimants"] for row in rows})
    lines = []
    for database in _databases(rows):
        for action in dict.fromkeys(row["action"] for row in rows):
            found = {
                row["claimants"]: row
                for row in rows
                if (row["database"], row["action"], row["kind"]) == (database, action, "processes")
            }
            cells = [f"{_number(found[n]['a_second'])} ({_number(found[n]['p99_ms'])} ms)" for n in numbers]
            lines.append([f"{action}, {NAMES[database]}", *cells])
    return _table(["a second (99th percentile)", *map(str, numbers)], lines)


def _overheads(rows: Sequence[Row]) -> str:
    lines = [
        [
            f"{row['operation']}, {NAMES[row['database']]}",
            _number(row["ms_each"]),
            *(_number(row["processor_ms_each"].get(part)) for part in ("workers", "redis", "database")),
        ]
        for row in rows
    ]
    return _table(["", "ms", "processor, ms: worker", "Redis", "PostgreSQL"], lines)


def _workers(rows: Sequence[Row]) -> str:
    lines = []
    for work, title in (("sleep", "that waits"), ("spin", "that computes")):
        here = [row for row in rows if row["work"] == work]
        for number in sorted({row["workers"] for row in here}):
            found = {row["database"]: row for row in here if row["workers"] == number}
            bare = (
                max(row["bare_a_second"] for row in found.values())
                if work == "spin"
                else 1000 * number / here[0]["milliseconds"]
            )
            rates = [_number(found[name]["a_second"]) for name in _databases(rows)]
            lines.append([title, str(number), *rates, _number(bare)])
    return _table(["work", "workers", *(NAMES[name] for name in _databases(rows)), "without Tenfold"], lines)


def _limits(rows: Sequence[Row]) -> str:
    lines = [[f"{row['limit']}", NAMES[row["database"]], _number(row["a_second"])] for row in rows]
    return _table(["full", "with", "shards a second"], lines)


def _databases(rows: Iterable[Row]) -> list[str]:
    return list(dict.fromkeys(row["database"] for row in rows))


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, ["---"] * len(titles), *lines])


def _number(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}" if number < 10 else f"{number:.0f}"
