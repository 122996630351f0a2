"""A volume of the benchmark's own with a Redis, a model in its registry, and zips submitted to it."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tenfold.web.local.redis_server import redis_command, redis_directory, redis_url_in, wait_until_answering
from tenfold.worker.classification.parameters import ClassificationParameters
from tenfold.worker.classification.submission import submit_classification
from tenfold.worker.db.records import Job, Model
from tenfold.worker.db.schema import migrate
from tenfold.worker.services import Services
from tenfold.worker.settings import Settings
from tenfold.worker.uploads.upload import Upload

MODEL = "benchmark"


@contextmanager
def open_volume(directory: Path, model: Path) -> Iterator[Services]:
    """Services on an empty volume, with the model in the folder of the file `model` to classify with."""
    private = redis_directory()
    url = redis_url_in(private)
    with subprocess.Popen(redis_command(private), stdout=subprocess.DEVNULL) as redis:
        wait_until_answering(url, redis)
        services = Services.open(Settings(data=directory / "data", redis_url=url))
        migrate(services.database)
        shutil.copytree(model.parent, services.volume.model(MODEL))
        metrics = json.loads((model.parent / "metrics.json").read_text())
        with services.database.write() as session:
            session.add(
                Model(
                    id=MODEL,
                    recipe="dropout-128",
                    dataset="mnist",
                    parameters={},
                    metrics=metrics,
                    created_at=1.0,
                )
            )
        services.aliases.promote(MODEL, who=None)
        yield services
        services.database.close()
        redis.terminate()
    shutil.rmtree(private)


def submit(services: Services, archive: Path) -> Job:
    """Queue the classification of a zip; the file itself stays where it is."""
    received = services.volume.uploads / "received.part"
    os.link(archive, received)
    upload = Upload(received, archive.name, archive.stat().st_size, "0" * 64)
    return submit_classification(services, ClassificationParameters(model=(MODEL,)), upload)
