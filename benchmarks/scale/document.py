"""Puts the figures of a run into the tables of docs/benchmarks/scaling.md, each between its two marks."""

import re
from collections.abc import Mapping, Sequence
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
        "overheads": _overheads(of["overheads"]),
        "limits": _limits(of["limits"]),
    }
    for name, block in blocks.items():
        marked = re.compile(f"(?<=<!-- {name} -->\n).*?(?=\n<!-- end -->)", re.DOTALL)
        text = marked.sub(f"\n{block}\n", text, count=1)
    return text


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


def _limits(rows: Sequence[Row]) -> str:
    lines = [[f"{row['limit']}", NAMES[row["database"]], _number(row["a_second"])] for row in rows]
    return _table(["full", "with", "shards a second"], lines)


def _table(titles: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in [titles, ["---"] * len(titles), *lines])


def _number(number: float | None) -> str:
    if number is None:
        return "–"
    return f"{number:,.0f}" if number >= 100 else f"{number:.2g}" if number < 10 else f"{number:.0f}"
