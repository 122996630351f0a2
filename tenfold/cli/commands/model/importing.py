"""`tenfold model import`."""

from pathlib import Path
from typing import Any

import click

from tenfold.cli.commands.submit import submitted, upload_option, uploading, wait_option
from tenfold.cli.completions import complete_datasets
from tenfold.cli.options import check, options_of
from tenfold.cli.output import output_option
from tenfold.cli.server import connect
from tenfold.worker.model_import.parameters import ModelImportParameters


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@options_of(ModelImportParameters, besides=["check"])
@click.option(
    "--check",
    "sample",
    metavar="DATASET|ZIP",
    shell_complete=complete_datasets,
    help="Labeled images to check the declaration on: a data set, whose test images are used, or a zip of class "
    "folders on this computer. Without it nothing is measured, and all answers go to review.",
)
@upload_option
@wait_option
@output_option
def import_model(
    file: Path, sample: str | None, upload: str | None, wait: bool, as_json: bool, **parameters: Any
) -> None:
    """Import a model that was made elsewhere.

    FILE is a .keras or a legacy .h5 file of Keras, an ONNX file, or a zip of a SavedModel. --input and --preprocessing
    are required. No code of the file is run. With --check, the last lines name what is probably declared wrongly.
    """
    is_file = sample is not None and Path(sample).is_file()
    given = {**parameters, "check": None if is_file else sample}
    declared = check(ModelImportParameters, given)
    sent = [file, *([Path(sample)] if sample and is_file else [])]
    with connect() as client:
        with uploading(*sent) as on_bytes:
            job = client.import_model(
                file, check_file=sample if is_file else None, upload=upload, on_bytes=on_bytes, **declared
            )
        submitted(job, wait=wait, as_json=as_json)
