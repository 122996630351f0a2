"""`python -m benchmarks.chaos --minutes N --seed S [--json FILE]`: exit status 1 where a promise was broken."""

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import click

from benchmarks.chaos.run import run
from tenfold.trainer.data.datasets import load_dataset
from tenfold.trainer.data.fetch import ensure_dataset

DATABASES = {"sqlite": ("sqlite",), "postgresql": ("postgresql",), "both": ("sqlite", "postgresql")}


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="How long orders come in and things go wrong, each.")
@click.option("--seed", default=1, show_default=True, help="Orders and troubles are drawn from it.")
@click.option("--database", type=click.Choice(list(DATABASES)), default="both", show_default=True)
@click.option("--datasets", type=click.Path(path_type=Path), default=Path("data/datasets"), show_default=True)
@click.option("--logs", type=click.Path(file_okay=False, path_type=Path), help="Keep the processes' logs here.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here.")
def main(minutes: float, seed: int, database: str, datasets: Path, logs: Path | None, json_file: Path | None) -> None:
    """Break a running Tenfold in every way, then check that nothing was lost."""
    if logs and logs.exists() and any(logs.iterdir()):
        raise click.BadParameter(f"{logs} is not empty: it may have the logs of another run.", param_hint="--logs")
    ensure_dataset("mnist", datasets)
    dataset = load_dataset("mnist", datasets)
    started = time.monotonic()

    def say(what: str) -> None:
        click.echo(f"{time.monotonic() - started:7.1f} {what}", err=True)

    reports = [
        run(name, seed, 60 * minutes, dataset, say, logs=logs / name if logs else None) for name in DATABASES[database]
    ]
    for report in reports:
        _print(report)
    if json_file:
        whole = {"machine": _machine(), "minutes": minutes, "seed": seed, "runs": reports}
        json_file.write_text(json.dumps(whole, indent=2))
    sys.exit(any(report["violations"] for report in reports))


def _print(report: dict[str, Any]) -> None:
    click.echo(f"\n{report['database']}, {report['seconds']:.0f} s until all was done; {report['disk']}")
    for title, name in (
        ("troubles", "troubles"),
        ("ends of jobs when the troubles were over", "ends"),
        ("why jobs failed", "failed_for"),
        ("answers of the API", "answers"),
        ("left by killed processes, before `tenfold gc`", "leftovers_before_gc"),
    ):
        click.echo(f"  {title}:")
        for what, count in report[name].items():
            click.echo(f"    {count:6} {what}")
    click.echo(f"  late workers that were refused: {report['late_workers_refused']}")
    click.echo(f"  failed jobs that were retried in peace: {report['then_retried_in_peace']}")
    click.echo(f"  violations: {len(report['violations'])}")
    for violation in report["violations"]:
        click.echo(f"    {violation['invariant']}: {violation['found']}")


def _machine() -> dict[str, Any]:
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "python": sys.version}


if __name__ == "__main__":
    main()
