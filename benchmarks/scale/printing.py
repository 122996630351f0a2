"""Shows rows as tables, a column for each figure."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

Row = dict[str, Any]

TITLES = {
    "messages": "The queue",
    "sizes": "Bytes in the database",
    "lives": "A job's life, one process",
    "looks": "Looks at a long line",
    "contention": "Many claimants",
    "overheads": "One worker, work that costs nothing",
    "workers": "Shards a second by workers",
    "laws": "The laws of these curves",
    "limits": "Full at so many shards a second",
}


def tables(rows: Sequence[Row]) -> str:
    """All rows, a table for each run of rows of one part on one database."""
    return "\n".join(
        _table(part, list(of_part)) for part, of_part in groupby(rows, lambda row: (row["part"], row.get("database")))
    )


def _table(part: tuple[str, str | None], rows: Sequence[Row]) -> str:
    shown = [_flat(row) for row in rows]
    names = list(dict.fromkeys(name for row in shown for name in row))
    cells = [names, *[[_text(row.get(name)) for name in names] for row in shown]]
    widths = [max(len(line[place]) for line in cells) for place in range(len(names))]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)) for line in cells]
    title, database = part
    return "\n".join([TITLES[title] + (f", {database}" if database else ""), *lines, ""])


def _flat(row: Row) -> Row:
    flat = {
        name: value for name, value in row.items() if name not in ("part", "database", "processor_ms_each", "count")
    }
    return flat | {f"{part} ms": value for part, value in row.get("processor_ms_each", {}).items()}


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return "–" if value is None else str(value)
