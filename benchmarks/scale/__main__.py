"""What Tenfold's own machinery costs and where it is full: `python -m benchmarks.scale [--json FILE] [--quick]`.

Drives the real database, Redis and Celery workers with stand-in work of known cost. See docs/benchmarks/scaling.md.
"""

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.scale.conclusions import as_rows, laws, limits
from benchmarks.scale.document import with_figures
from benchmarks.scale.extent import FULL, QUICK
from benchmarks.scale.measuring import measure
from benchmarks.scale.plots import draw
from benchmarks.scale.printing import TITLES, tables

DATABASES = ("sqlite", "postgresql")


@click.command()
@click.option("--quick", is_flag=True, help="Half a minute's worth: enough to see that all of it works.")
@click.option("--database", "databases", type=click.Choice(DATABASES), multiple=True, help="Only this one.")
@click.option(
    "--docs",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Put figures and curves into benchmarks/scaling.md and images/ of this directory.",
)
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows here.")
def main(quick: bool, databases: tuple[str, ...], docs: Path | None, json_file: Path | None) -> None:
    """Measure what a job, a shard and a poll cost, and how far workers, databases and Redis go."""
    machine = _machine()
    rows = []
    seen = ""
    for row in measure(QUICK if quick else FULL, databases or DATABASES):
        rows.append(row)
        if (now := f"{TITLES[row['part']]}, {row.get('database', 'Redis')}") != seen:
            click.echo(f"{datetime.now(UTC):%H:%M:%S} {now}", err=True)
        seen = now
    rows += as_rows(laws(rows)) + limits(rows)
    click.echo(tables(rows))
    if json_file:
        json_file.write_text(json.dumps({"machine": machine, "rows": rows}, indent=2))
    if docs:
        page = docs / "benchmarks" / "scaling.md"
        page.write_text(with_figures(page.read_text(), rows, machine))
        draw(rows, docs / "images")


def _machine() -> dict[str, object]:
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": sys.version,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


if __name__ == "__main__":
    main()
