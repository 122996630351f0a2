"""A job's progress as a bar, in a terminal or a notebook."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tenfold.durations import about

if TYPE_CHECKING:
    from tenfold.client.job import Job


@contextmanager
def progress_bar(job: "Job", console: Console | None = None) -> Iterator[Callable[["Job"], None]]:
    """Shows a bar for as long as the block lasts; yields what to call whenever the job has changed."""
    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]} {task.fields[note]}"),
        TimeElapsedColumn(),
        console=console,
    ) as progress:
        bar = progress.add_task(job.document["kind"], total=None, unit="", note=job.state)

        def show(current: "Job") -> None:
            made = current.document["progress"]
            progress.update(bar, completed=made["done"], total=made["total"], unit=made["unit"], note=_note(current))

        show(job)
        yield show
        show(job)


def _note(job: "Job") -> str:
    accuracy = job.progress_detail.get("accuracy")
    doing = job.state if accuracy is None or job.finished else f"accuracy {accuracy:.4f}"
    return doing if job.eta_seconds is None else f"{doing}, {about(job.eta_seconds)} left"
