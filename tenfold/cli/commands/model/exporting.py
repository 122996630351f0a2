"""`tenfold model export`."""

import os
import re

import click

from tenfold.cli.completions import complete_models
from tenfold.cli.console import transfer_bar
from tenfold.cli.output import output_option, print_json
from tenfold.cli.server import connect

# MLflow retries for minutes before it says that no server answers, reports that it is used to its makers, and prints
# among the results.
MLFLOW_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@click.command("export")
@click.argument("model_id", metavar="MODEL", shell_complete=complete_models)
@click.option(
    "--mlflow",
    "tracking_uri",
    is_flag=False,
    flag_value="",
    required=True,
    metavar="[URI]",
    help="Log it to MLflow: to the tracking server at URI, or with sqlite:///FILE to files on this computer. Without "
    "URI: where MLFLOW_TRACKING_URI says, or else sqlite:///mlflow.db in the current directory.",
)
@click.option(
    "--experiment",
    metavar="NAME",
    envvar="MLFLOW_EXPERIMENT_NAME",
    default="tenfold",
    show_default=True,
    help="MLflow's experiment.",
)
@click.option("--name", metavar="NAME", help="MLflow's registered model.  [default: tenfold-DATASET]")
@output_option
def export_model(model_id: str, tracking_uri: str, experiment: str, name: str | None, as_json: bool) -> None:
    """Log a model to MLflow: a run, and a version of a registered model.

    The run has the parameters, the metrics of each epoch and the model's files. mlflow.keras.load_model and, if the
    model has model.onnx, mlflow.onnx.load_model load the registered model without Tenfold. Each export makes a new run
    and version.
    """
    for setting, value in MLFLOW_SETTINGS.items():
        os.environ.setdefault(setting, value)
    with connect() as client, transfer_bar() as progress:
        size = sum(file["bytes"] for file in client.model_files(model_id))
        bar = progress.add_task("fetching the model", total=size)
        try:
            exported = client.export_to_mlflow(
                model_id,
                tracking_uri or None,
                experiment=experiment,
                name=name,
                on_bytes=lambda count: progress.advance(bar, count),
            )
        except (ImportError, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from error
        except Exception as error:
            if not type(error).__module__.startswith(("mlflow.", "sqlalchemy.")):
                raise
            raise click.ClickException(f"MLflow: {_without_password(str(error))}") from error
    exported["tracking_uri"] = _without_password(exported["tracking_uri"])
    if as_json:
        print_json(exported)
        return
    click.echo(f"{exported['model_uri']} is version {exported['version']} of {exported['model_name']}")
    click.echo(f"run {exported['run_id']} of the experiment {exported['experiment']} at {exported['tracking_uri']}")


def _without_password(text: str) -> str:
    return re.sub(r"(?<=://)[^/@\s]*@", "***@", text)
