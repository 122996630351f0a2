"""Reads the suspected label errors that a check found. Standard library only: the web reads it."""

import json
from dataclasses import dataclass

from tenfold.trainer.data.stored import Part
from tenfold.worker.db.records import Job
from tenfold.worker.services import Services

FILE, TABLE = "suspects.json", "suspects.csv"


@dataclass(frozen=True)
class StoredSuspect:
    """An image whose label is suspected to be wrong, by its number in its part."""

    part: Part
    index: int
    label: str
    suggested: str
    label_probability: float
    suggested_probability: float


def read_suspects(services: Services, job: Job) -> list[StoredSuspect]:
    """The suspects, the clearest first; empty if the file was removed or the check has not succeeded."""
    path = services.volume.job(job.id) / FILE
    try:
        return [StoredSuspect(**row) for row in json.loads(services.volume.storage.fetch(path).read_bytes())]
    except FileNotFoundError:
        return []
